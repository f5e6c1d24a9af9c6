/**
 * `gitops-sync sync`: does one reconciliation.
 *
 * @module
 */
import { type Effects, say } from "../../base/effects.ts";
import type { ExitCode } from "../../base/errors.ts";
import { record } from "../../report/record.ts";
import { noGates } from "../../run/gates.ts";
import { exitOf, type Outcome } from "../../sync/outcome.ts";
import { reconcile, type Wishes } from "../../sync/reconcile.ts";
import { askedIn } from "../../state/asked.ts";
import { settle } from "../../sync/settled.ts";
import { configOf } from "../config.ts";
import { realEffects } from "../output/effects.ts";
import { publishedFiles, publishing } from "../publish.ts";
import { sentence, tellOutcome } from "./outcome.ts";
import { withMetrics } from "./metrics.ts";
import { skipOf } from "../skip_gates.ts";
import type { Call } from "../call.ts";

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  const skipGates = skipOf(call);
  return await syncWith(call, {
    force: call.switches.has("now"),
    retry: false,
    wait: call.switches.has("wait"),
    ...skipGates ? { skipGates } : {},
    ...wisher(call),
  });
}

/** Returns for whom a program made the call. A call by hand is not recorded. */
export function wisher({ by }: Call): Pick<Wishes, "by"> {
  return by === undefined ? {} : { by };
}

/** With `--now`, a run waits neither for windows nor for the soak time. */
const noWindows = { "windows.deploy": [], "windows.reboot": [] };
const noSoak = { "gates.soak": undefined };

/** Does a sync with the wishes of a person. */
export async function syncWith(
  call: Call,
  wishes: Wishes,
): Promise<ExitCode> {
  const configured = await configOf(call);
  const config = {
    ...configured,
    ...wishes.force ? noWindows : {},
    ...wishes.force && !wishes.retry ? noSoak : {},
    ...wishes.skipGates ? noGates : {},
  };
  await using real = await realEffects(call.verbose);
  const effects = publishing(call, configured, real);
  const outcome = await withMetrics(effects, config, () =>
    reconcile(
      effects,
      config,
      wishes,
      record,
      async (question, answer, outcome) => {
        const isPlain = !call.json && !call.verbose && !wishes.retry &&
          wishes.by === undefined;
        if (!isPlain) return;
        const says = sentence(config, outcome);
        const until = untilOf(outcome);
        const folder = config.stateDirectory;
        await settle(folder, call.words, question, answer, says, {
          stamps: [askedIn(folder), ...publishedFiles(call, configured)],
          textfile: config["metrics.textfile"],
          until,
        });
      },
    )).finally(effects.published);
  await tellOutcome(call, config, effects, outcome);
  if (wishes.skipGates && isWithoutSlot(outcome)) tellUnused(effects);
  return exitOf(outcome);
}

/**
 * Returns whether a run changed nothing because no slot of the fleet was free.
 */
function isWithoutSlot(outcome: Outcome): boolean {
  return outcome.result === "queued" ||
    outcome.result === "interrupted" && outcome.error.stage === "slot";
}

/** Reports that `--skip-gates` does not apply to later runs. */
function tellUnused(effects: Effects): void {
  say(effects, "notice", "--skip-gates applies only to this run", [
    "Type it again when a slot is free. Run `gitops-sync fleet locks` to see who holds the slots.",
  ]);
}

/** Returns when there is something to do although nothing changes. */
function untilOf(outcome: Outcome): number | undefined {
  const until = outcome.result === "gated"
    ? outcome.gated.notBefore
    : outcome.result === "unapproved"
    ? outcome.until
    : null;
  return until === null ? undefined : Date.parse(until);
}
