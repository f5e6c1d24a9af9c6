/**
 * What a person who says `retry` wants to be forgotten.
 *
 * @module
 */
import type { State, Testing } from "../state/state.ts";
import { writeState } from "../state/state_file.ts";

/** Forgets what stands between a revision and another attempt. */
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

/** What failed of the testing branch is tried out again. */
function notHeld(testing: Testing, { holds }: State): Testing {
  const isHeld = holds.some(({ revision }) => revision === testing.revision);
  return isHeld ? { ...testing, base: "" } : testing;
}

/** What was written down while the clock was ahead would make it seem wrong. */
function notLater<T extends { at: string }>(one: T, now: Date): T {
  return Date.parse(one.at) > now.getTime()
    ? { ...one, at: now.toISOString() }
    : one;
}
