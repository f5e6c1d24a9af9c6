/**
 * The end of a rollback that lasts.
 *
 * @module
 */
import { takeLock } from "../host/lock.ts";
import { readState, writeState } from "../state/state_file.ts";
import { rolledBackOf } from "./decide.ts";

/**
 * Lets the host follow its ref again. The revisions that it left stay blocked.
 *
 * @returns the revisions that stay blocked; `undefined` if the host was not
 * rolled back.
 * @throws {SyncError} the errors of a lock or a state that cannot be used.
 */
export async function endRollback(
  folder: string,
  now: Date,
): Promise<{ held: readonly string[] } | undefined> {
  // Most hosts need no lock, which a run may hold for long.
  if (!(await readState(folder)).rolledBack) return undefined;
  using _lock = await takeLock(folder, "resume", now.getTime());
  const state = await readState(folder);
  const { rolledBack: _, ...rest } = state;
  await writeState(folder, rest);
  if (!rolledBackOf(state)) return undefined;
  const left = state.holds.filter(({ reason }) => reason === "rolled-back");
  return { held: left.map(({ revision }) => revision) };
}
