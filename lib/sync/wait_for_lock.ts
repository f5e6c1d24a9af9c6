/**
 * Waits for another run to end.
 *
 * @module
 */
import { type Effects, say } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import type { Lock } from "../host/lock.ts";

/** Milliseconds between two tries. */
const pause = 250;

/**
 * Takes the lock as soon as it is free.
 *
 * @param take Takes the lock, or throws an error with its holder.
 * @param patience Milliseconds to wait at most; the default is no limit.
 * @throws {SyncError} the errors of `take`; `locked` only after that time.
 */
export async function waitForLock(
  effects: Pick<Effects, "sleep" | "tell" | "monotonic">,
  take: () => Promise<Lock>,
  patience = Infinity,
): Promise<Lock> {
  const end = effects.monotonic() + patience;
  let isTold = false;
  while (true) {
    try {
      return await take();
    } catch (error) {
      const isLocked = error instanceof SyncError && error.reason === "locked";
      if (!isLocked || effects.monotonic() >= end) throw error;
      if (!isTold) {
        say(effects, "info", `${error.message}; waiting until it ends`);
      }
      isTold = true;
    }
    await effects.sleep(pause);
  }
}
