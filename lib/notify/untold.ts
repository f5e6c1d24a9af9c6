/**
 * Messages that wait in the state because the spool could not be written. So a
 * full disk loses no message.
 *
 * @module
 */
import { type Effects, say } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { foreseen } from "../base/os_error.ts";
import type { State, Untold } from "../state/state.ts";
import { writeState } from "../state/state_file.ts";
import { isMessage, put } from "./spool.ts";

/** The limit of waiting messages. The oldest are dropped first. */
const most = 20;

/** Returns the waiting messages and new ones. */
export function withUntold(
  { untold = [] }: Pick<State, "untold">,
  more: readonly Untold[],
): Pick<State, "untold"> {
  const all = [...untold, ...more].slice(-most);
  return all.length > 0 ? { untold: all } : {};
}

/**
 * Writes to the spool what an earlier run could not write.
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

/** @returns the messages that still could not be written. */
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
 * Warns of a message that could not be written to the spool.
 *
 * @throws what was thrown, if it is not an expected error.
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
