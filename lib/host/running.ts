/**
 * Whether a run is under way. Other commands take the lock of runs as well,
 * each for its own work.
 *
 * @module
 */
import { type Holder, isLocked, lastHolder } from "./lock.ts";

/** The commands that are runs, as they name themselves in the lock. */
const runs = ["sync", "rollback"];

/** The run that took the lock last, unless another command did since. */
export function lastRun(folder: string): Holder | undefined {
  const holder = lastHolder(folder);
  return holder && runs.includes(holder.command) ? holder : undefined;
}

/** Who is at work with the state folder. */
export interface AtWork {
  /** Whether that is a run. One that could not write its name counts. */
  isRun: boolean;
  /** Who has the lock, where that is known. */
  holder?: Holder;
}

/** Looks who is at work with a state folder; `undefined`: nobody. */
export async function atWork(folder: string): Promise<AtWork | undefined> {
  if (!await isLocked(folder)) return undefined;
  const holder = lastHolder(folder);
  if (!holder) return { isRun: true };
  return { isRun: runs.includes(holder.command), holder };
}

/** Whether a run is under way. */
export async function isRunning(folder: string): Promise<boolean> {
  return (await atWork(folder))?.isRun === true;
}
