/**
 * Messages that wait in the state, because the spool took none when they were
 * due: a full disk loses nothing of what is told.
 *
 * @module
 */
import { type Effects, say } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { foreseen } from "../base/os_error.ts";
import type { State, Untold } from "../state/state.ts";
import { writeState } from "../state/state_file.ts";
import { isMessage, put } from "./spool.ts";

/** So many messages wait at most; the oldest go first. */
const most = 20;

/** Messages that wait already, and new ones. */
export function withUntold(
  { untold = [] }: Pick<State, "untold">,
  more: readonly Untold[],
): Pick<State, "untold"> {
  const all = [...untold, ...more].slice(-most);
  return all.length > 0 ? { untold: all } : {};
}

/**
 * Puts into the spool what an earlier run could not.
 *
 * @param folder The state folder.
 * @throws {SyncError} as {@linkcode writeState}.
 */
export async function tellLate(
  effects: Pick<Effects, "tell">,
  folder: string,
  state: State,
): Promise<State> {
  const { untold = [], ...rest } = state;
  const left = await unspooled(effects, folder, untold);
  if (left.length === untold.length) return state;
  const after = { ...rest, ...withUntold({}, left) };
  await writeState(folder, after);
  return after;
}

/** @returns what could still not be put there. */
async function unspooled(
  effects: Pick<Effects, "tell">,
  folder: string,
  untold: readonly Untold[],
): Promise<readonly Untold[]> {
  for (const [i, { id, waiting }] of untold.entries()) {
    if (!isMessage(waiting)) continue;
    try {
      await put(folder, id, waiting);
    } catch (thrown) {
      tellUnspooled(effects, thrown);
      return untold.slice(i);
    }
  }
  return [];
}

/**
 * Warns of a message that could not be put into the spool.
 *
 * @throws what was thrown, where that was not foreseen.
 */
export function tellUnspooled(
  effects: Pick<Effects, "tell">,
  thrown: unknown,
): void {
  const error = foreseen(thrown);
  if (!(error instanceof SyncError)) throw error;
  const text =
    `Cannot queue a message: ${error.message}; the next run tries again`;
  say(effects, "warning", text, error.hints);
}
