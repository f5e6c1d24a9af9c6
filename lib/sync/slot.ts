/**
 * Releases slots of the fleet.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import type { Config } from "../config/schema.ts";
import { giveBackSlot } from "../locks/give_back.ts";
import type { Decision } from "../run/decide.ts";
import type { State } from "../state/state.ts";
import { readState, writeState } from "../state/state_file.ts";
import { isRebootDue } from "./finish.ts";

/**
 * Releases a slot at the end of a run, unless a reboot follows at once, which
 * needs the slot too.
 */
export async function slotAtEnd(
  effects: Effects,
  config: Config,
): Promise<void> {
  const state = await readState(config.stateDirectory);
  if (!state.slot || await isRebootNext(effects, config, state)) return;
  await giveBackSlot(effects, config, state, false);
}

async function isRebootNext(
  effects: Effects,
  config: Config,
  state: State,
): Promise<boolean> {
  if (config.reboot === "never" || state.attempt) return false;
  const { dueReboot } = await import("./reboot.ts");
  const due = dueReboot(config, state, effects.now());
  return due !== undefined && due.opening === undefined;
}

/**
 * Releases a slot that the host kept for another revision, if the host is healthy
 * with the tip of its ref now. Forgets a wait that is over.
 */
export async function slotAfterDecision(
  effects: Effects,
  config: Config,
  state: State,
  decision: Decision,
): Promise<State> {
  let now = state;
  if (state.slot && isWellWith(state, decision)) {
    now = await giveBackSlot(effects, config, state, true);
  }
  const { slotWait, ...rest } = now;
  if (!slotWait) return now;
  const stillWaits = slotWait.use === "switch"
    ? decision.kind === "queued"
    : await isRebootDue(effects, config, state);
  if (stillWaits) return now;
  await writeState(config.stateDirectory, rest);
  return rest;
}

/** Whether the host is healthy with the tip of its ref, and no reboot is open. */
function isWellWith(
  { lastGood, reboot }: State,
  decision: Decision,
): boolean {
  const isAwaited = reboot !== undefined && reboot.result === undefined;
  return decision.kind === "nothing" && decision.drift === undefined &&
    lastGood !== undefined && !lastGood.unwell && !isAwaited;
}
