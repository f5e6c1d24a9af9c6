/**
 * Collects everything that `status` needs.
 *
 * @module
 */
import { SyncError } from "../../base/errors.ts";
import type { Tip } from "../../base/tip.ts";
import type { Config } from "../../config/schema.ts";
import { isPattern } from "../../config/tag_pattern.ts";
import { askSources } from "../../git/sources.ts";
import { changedSinceBoot } from "../../host/booted.ts";
import { type NextRun, nextRun } from "../../host/next_run.ts";
import { bootedSystem } from "../../host/system.ts";
import { readHistory } from "../../state/history.ts";
import type { State } from "../../state/state.ts";
import { refuseOtherMachine } from "../../sync/machine.ts";
import type { Call } from "../call.ts";
import { type LocalFacts, localFacts } from "../../report/host_facts.ts";
import { realEffects } from "../output/effects.ts";
import type { Effects } from "../../base/effects.ts";
import type { Facts } from "../../report/agreement.ts";

/** The timeout is short, because a person waits for the answer. */
const queryTimeout = 10_000;

/** The tip of the remote, or why it is unknown. */
export type Answer =
  | { tip: Tip; unreached?: never }
  | { tip?: never; unreached: string };

/** Collects the facts, with one query to the remote and to systemd. */
export async function statusFacts(call: Call, config: Config): Promise<Facts> {
  using effects = await realEffects(call.verbose);
  const local = await localFacts(config);
  const [answer, next] = await Promise.all([
    call.switches.has("offline")
      ? lastAnswer(local)
      : ask(effects, config, local.state),
    nextRun(effects),
  ]);
  return factsOf(local, answer, next);
}

/** Combines facts that were collected at different times. */
export function factsOf(
  local: LocalFacts,
  answer: Answer,
  next: NextRun,
): Facts {
  const { tip: _, ...rest } = local;
  const otherMachine = otherMachineText(local.config);
  const { lastGood } = local.state;
  return {
    ...rest,
    ...answer,
    ...otherMachine === undefined ? {} : { otherMachine },
    nextRun: next,
    history: readHistory(local.config.stateDirectory),
    changed: lastGood ? changedSinceBoot(lastGood.system) : [],
    booted: bootedSystem(),
  };
}

function otherMachineText({ machineId }: Config): string | undefined {
  if (machineId === undefined) return undefined;
  try {
    refuseOtherMachine(machineId);
    return undefined;
  } catch (error) {
    if (error instanceof SyncError) return error.message;
    throw error;
  }
}

/** Returns the remote's answer to the last run. */
export function lastAnswer({ tip, asked }: LocalFacts): Answer {
  return tip ? { tip } : { unreached: asked?.message ?? "not queried" };
}

/** Queries the remote now, with a short timeout. */
export async function ask(
  effects: Effects,
  config: Config,
  state: State,
): Promise<Answer> {
  const timeout = Math.min(config["timeouts.remote"], queryTimeout);
  try {
    const { tip } = await askSources(effects, {
      ...config,
      "timeouts.remote": timeout,
    }, state);
    const what = isPattern(config.ref) ? "tag of" : "branch or tag";
    return tip ? { tip } : {
      unreached: `${config.repository} has no ${what} ${config.ref}`,
    };
  } catch (error) {
    const isPerson = error instanceof SyncError &&
      error.reason === "interrupted";
    if (!(error instanceof SyncError) || isPerson) throw error;
    return { unreached: error.message };
  }
}
