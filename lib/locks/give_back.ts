/**
 * Gives back the slot that this host no longer needs.
 *
 * @module
 */
import { type Effects, say } from "../base/effects.ts";
import type { Config } from "../config/schema.ts";
import { due, isSlotDue } from "../run/slot.ts";
import type { State } from "../state/state.ts";
import { writeState } from "../state/state_file.ts";
import { openLock } from "./configured.ts";
import { type Given, LockError } from "./server.ts";
import { tellUnknown } from "./take.ts";

/**
 * Gives the slot back if it is due. If that fails, the next run tries again:
 * nothing else depends on it.
 *
 * @param isWell Whether the host is healthy on the revision in Git. Then a slot
 * that was kept for another revision is due too.
 * @returns the new state.
 */
export async function giveBackSlot(
  effects: Effects,
  config: Config,
  state: State,
  isWell: boolean,
): Promise<State> {
  const { slot } = state;
  if (!slot || !(isWell || isSlotDue(state))) return state;
  const folder = config.stateDirectory;
  // Recorded before the request: a slot that is given back must not be used
  // again.
  const given: State = { ...state, slot: due(slot) };
  await writeState(folder, given);
  try {
    using lock = await openLock(config);
    if (!lock?.server.knows(slot)) tellUnknown({ effects }, slot);
    else tellGiven(effects, await lock.server.giveBack(slot), slot.group);
  } catch (error) {
    if (!(error instanceof LockError)) throw error;
    say(
      effects,
      "warning",
      `Cannot release the slot of the group ${slot.group}: ${error.message}; the next run tries again`,
      error.hints,
    );
    return given;
  }
  const { slot: _, ...free } = given;
  await writeState(folder, free);
  return free;
}

function tellGiven(effects: Effects, given: Given, group: string): void {
  if (given.result === "given") {
    return say(effects, "info", `Released the slot of the group ${group}`);
  }
  const { by, reason } = given;
  if (by === undefined) return;
  say(
    effects,
    "notice",
    `${by} already freed the slot of the group ${group}${
      reason ? `: ${reason}` : ""
    }`,
  );
}
