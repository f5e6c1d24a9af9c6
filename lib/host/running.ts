/**
 * Finds out whether a run is in progress. Other commands take the lock of runs
 * too, for their own work.
 *
 * @module
 */
import { type Holder, isLocked, lastHolder } from "./lock.ts";

/** The commands that are runs, by their names in the lock. */
const runs = ["sync", "rollback"];

/**
 * Returns the run that took the lock last, unless another command took it
 * later.
 */
export function lastRun(folder: string): Holder | undefined {
  const holder = lastHolder(folder);
  return holder && runs.includes(holder.command) ? holder : undefined;
}

/** Who uses the state folder now. */
export interface LockHolder {
  /** Whether it is a run. An unknown holder counts as a run. */
  isRun: boolean;
  /** Who holds the lock, if known. */
  holder?: Holder;
}

/** Returns who uses a state folder now; `undefined` if nobody does. */
export async function lockHolder(
  folder: string,
): Promise<LockHolder | undefined> {
  if (!await isLocked(folder)) return undefined;
  const holder = lastHolder(folder);
  if (!holder) return { isRun: true };
  return { isRun: runs.includes(holder.command), holder };
}

/** Returns whether a run is in progress. */
export async function isRunning(folder: string): Promise<boolean> {
  return (await lockHolder(folder))?.isRun === true;
}
