/**
 * After a reboot: a system that was confirmed on a running host has yet to
 * prove that a host comes up with it. Loaded only then.
 *
 * @module
 */
import { type Effects, say } from "../base/effects.ts";
import { exitCodes, SyncError } from "../base/errors.ts";
import { short } from "../base/text.ts";
import type { Config } from "../config/schema.ts";
import { type Deployment, type State, writeState } from "../host/state.ts";
import { bootId, runningSystem } from "../host/system.ts";
import { attemptPut } from "./attempt.ts";
import { checkHealth, nothingBefore } from "./health.ts";
import type { Outcome } from "./reconcile.ts";
import { type Record, Run } from "./run.ts";

/**
 * Checks the health of a host that came up with the last good system for the
 * first time; where it is not well, goes back to the system before that.
 *
 * @returns the outcome of going back, or the state to go on with.
 */
export async function proveBoot(
  effects: Effects,
  config: Config,
  state: State,
  record: Record,
): Promise<Outcome | State> {
  const { lastGood, earlier: [earlier] } = state;
  // Another boot entry was chosen: that is drift, and told as such.
  if (!lastGood || runningSystem() !== lastGood.system) return state;
  const why = await whyUnwell(effects, config, state, lastGood);
  if (why === undefined) {
    const proven: State = {
      ...state,
      lastGood: { ...lastGood, boot: bootId() },
    };
    await writeState(config.stateDirectory, proven);
    return proven;
  }
  const message = `it did not come up well after a reboot: ${why.message}`;
  const told = `${short(lastGood.revision)}: ${message}`;
  if (!earlier) {
    say(effects, "error", told, [
      "there is no earlier good system to go back to",
    ]);
    return state;
  }
  say(effects, "error", told);
  const left = { revisions: [lastGood.revision], because: message };
  const outcome = await attemptPut(
    effects,
    config,
    state,
    earlier,
    record,
    left,
  );
  if (outcome.result !== "rolled-back") return outcome;
  return {
    result: "failed",
    run: outcome.run,
    error: goneBack(told, earlier, why),
  };
}

async function whyUnwell(
  effects: Effects,
  config: Config,
  state: State,
  { system, target, failing = [], at: _, ...commit }: Deployment,
): Promise<SyncError | undefined> {
  try {
    await checkHealth(new Run(effects, config, state), {
      done: "activated",
      how: "kept",
      before: { ...nothingBefore, failed: failing },
      system,
      target,
      commit,
    });
    return undefined;
  } catch (error) {
    if (error instanceof SyncError && error.stage === "health") return error;
    throw error;
  }
}

function goneBack(
  told: string,
  earlier: Deployment,
  { details, reason }: SyncError,
): SyncError {
  return new SyncError(`${told}; ${short(earlier.revision)} runs again`, {
    stage: "health",
    reason,
    next: "hold",
    details,
    exit: exitCodes.rolledBack,
    hints: ["the host was not rebooted again: look at journalctl --boot"],
  });
}
