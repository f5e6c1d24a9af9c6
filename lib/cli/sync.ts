/**
 * `gitops-sync sync`: one reconciliation.
 *
 * @module
 */
import { type ExitCode, exitCodes } from "../base/errors.ts";
import { short } from "../base/text.ts";
import { exitOf, reconcile } from "../sync/reconcile.ts";
import type { Ended, Run } from "../sync/run.ts";
import type { Call } from "./arguments.ts";
import { configOf } from "./config.ts";
import { realEffects } from "./effects.ts";
import { print } from "./output.ts";

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  return await syncWith(call, {
    force: call.switches.has("now"),
    retry: false,
  });
}

/** A sync with what a person wishes beyond the configuration. */
export async function syncWith(
  call: Call,
  wishes: { force: boolean; retry: boolean },
): Promise<ExitCode> {
  const config = await configOf(call);
  using effects = await realEffects(call.verbose);
  const outcome = await reconcile(effects, config, wishes, record);
  const isQuiet = outcome.result === "in-sync" && !outcome.drift && !call.json;
  if (isQuiet) {
    print(`In sync: ${config.ref} is at ${short(outcome.revision)}`);
    return exitCodes.ok;
  }
  const { tellOutcome } = await import("./outcome.ts");
  tellOutcome(call, config, effects, outcome);
  return exitOf(outcome);
}

/** Loaded when something is to be recorded, which most runs have not. */
export async function record(run: Run, ended: Ended): Promise<void> {
  const { record } = await import("../report/record.ts");
  await record(run, ended);
}
