/**
 * The wait for approval, across reboots and changes of the clock.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import type { Config } from "../config/schema.ts";
import { bootClock } from "../host/boot_clock.ts";
import { anchored } from "../run/approval.ts";
import type { State } from "../state/state.ts";
import { writeState } from "../state/state_file.ts";

/**
 * Returns the state with the wait by the current clock, without a write.
 *
 * @returns the same object if nothing differs.
 */
export function waitNow(state: State, now: Date): State {
  const { waiting } = state;
  if (!waiting) return state;
  const then = anchored(waiting, now, bootClock());
  return then === waiting ? state : { ...state, waiting: then };
}

/** Returns the same, and writes the state if it differs. */
export async function anchorWait(
  effects: Effects,
  config: Config,
  state: State,
): Promise<State> {
  const next = waitNow(state, effects.now());
  if (next !== state) await writeState(config.stateDirectory, next);
  return next;
}
