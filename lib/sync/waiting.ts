/**
 * The wait for a person's word, across reboots and changes of the clock.
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
 * The state with the wait as the clock of now has it, for whoever only looks.
 *
 * @returns the same object where nothing differs.
 */
export function waitNow(state: State, now: Date): State {
  const { waiting } = state;
  if (!waiting) return state;
  const then = anchored(waiting, now, bootClock());
  return then === waiting ? state : { ...state, waiting: then };
}

/** The state with the wait as the clock of now has it; written if it differs. */
export async function anchorWait(
  effects: Effects,
  config: Config,
  state: State,
): Promise<State> {
  const next = waitNow(state, effects.now());
  if (next !== state) await writeState(config.stateDirectory, next);
  return next;
}
