/**
 * Everything that `status` rests on.
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

/** A person waits for the answer. */
const patience = 10_000;

/** What the remote says, or why it says nothing. */
export type Answer =
  | { tip: Tip; unreached?: never }
  | { tip?: never; unreached: string };

/** Asks all that there is to ask, once. */
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

/** Puts together what was asked at different times. */
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

/** What the remote said to the last run. */
export function lastAnswer({ tip, asked }: LocalFacts): Answer {
  return tip ? { tip } : { unreached: asked?.message ?? "not queried" };
}

/** Asks the remote now; a person waits. */
export async function ask(
  effects: Effects,
  config: Config,
  state: State,
): Promise<Answer> {
  const timeout = Math.min(config["timeouts.remote"], patience);
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
