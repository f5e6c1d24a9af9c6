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
 * Takes the lock as soon as it is free, without a time limit.
 *
 * @param take Takes the lock, or throws an error with its holder.
 * @throws {SyncError} the errors of `take`, except `locked`.
 */
export async function waitForLock(
  effects: Pick<Effects, "sleep" | "tell">,
  take: () => Promise<Lock>,
): Promise<Lock> {
  let isTold = false;
  while (true) {
    try {
      return await take();
    } catch (error) {
      if (!(error instanceof SyncError) || error.reason !== "locked") {
        throw error;
      }
      if (!isTold) {
        say(effects, "info", `${error.message}; waiting until it ends`);
      }
      isTold = true;
    }
    await effects.sleep(pause);
  }
}
