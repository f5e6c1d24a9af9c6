/**
 * History entries that wait in the state, because they could not be written in
 * time.
 *
 * @module
 */
import { type Effects, say } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { foreseen } from "../base/os_error.ts";
import { appendHistory } from "./history.ts";
import type { HistoryEntry, State } from "./state.ts";
import { writeState } from "./state_file.ts";

/**
 * Writes the history entries that an earlier run could not write.
 *
 * @throws {SyncError} as {@linkcode writeState}.
 */
export async function writeWaiting(
  effects: Effects,
  folder: string,
  state: State,
): Promise<State> {
  const { unwritten: waiting, ...rest } = state;
  if (!waiting) return state;
  const unwritten = await writeHistory(effects, folder, waiting);
  if (unwritten.length === waiting.length) return state;
  const after = unwritten.length > 0 ? { ...rest, unwritten } : rest;
  await writeState(folder, after);
  return after;
}

/**
 * Adds entries to the history, and warns if that fails.
 *
 * @returns the entries that could not be written, at most the newest few.
 */
export async function writeHistory(
  effects: Effects,
  folder: string,
  entries: readonly HistoryEntry[],
): Promise<readonly HistoryEntry[]> {
  for (const [i, entry] of entries.entries()) {
    try {
      await appendHistory(folder, entry);
    } catch (thrown) {
      const error = foreseen(thrown);
      if (!(error instanceof SyncError)) throw error;
      say(
        effects,
        "warning",
        `Cannot write the history: ${error.message}; the next run tries again`,
        error.hints,
      );
      return entries.slice(i).slice(-mostUnwritten);
    }
  }
  return [];
}

/** How many entries wait for a writable disk. */
const mostUnwritten = 20;
