/**
 * What `retry` forgets.
 *
 * @module
 */
import type { State, Testing } from "../state/state.ts";
import { writeState } from "../state/state_file.ts";

/** Forgets what prevents another attempt at a revision. */
export async function forget(
  folder: string,
  state: State,
  now: Date,
): Promise<State> {
  const {
    backoff: _,
    cutOff: __,
    reboot: ___,
    last,
    seen,
    lastGood,
    testing,
    ...rest
  } = state;
  const forgetful = {
    ...rest,
    ...last && { last: notLater(last, now) },
    ...seen && { seen: notLater(seen, now) },
    ...lastGood && { lastGood: notLater(lastGood, now) },
    ...testing && { testing: notHeld(testing, state) },
    holds: [],
  };
  await writeState(folder, forgetful);
  return forgetful;
}

/** Lets a failed revision of the testing branch be tried again. */
function notHeld(testing: Testing, { holds }: State): Testing {
  const isHeld = holds.some(({ revision }) => revision === testing.revision);
  return isHeld ? { ...testing, base: "" } : testing;
}

/** Moves a time from the future to now: the clock was ahead then. */
function notLater<T extends { at: string }>(one: T, now: Date): T {
  return Date.parse(one.at) > now.getTime()
    ? { ...one, at: now.toISOString() }
    : one;
}
