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
import type { Deployment, State } from "../host/state.ts";
import { bootId, runningSystem } from "../host/system.ts";
import { attemptPut } from "./attempt.ts";
import { illsOf, isRemoteAlone, nothingBefore, unwell } from "./health.ts";
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
  const run = new Run(effects, config, state);
  const before = { ...nothingBefore, failed: lastGood.failing ?? [] };
  const ills = await illsOf(run, before);
  if (ills.length === 0) {
    await run.save({ lastGood: { ...lastGood, boot: bootId() } });
    return run.state;
  }
  // An older system would not reach it either, and would be left again for it.
  if (isRemoteAlone(ills)) return state;
  const why = unwell(ills);
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
