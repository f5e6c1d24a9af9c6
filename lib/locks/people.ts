/**
 * The commands of a person to a lock server: list the holders, and free a slot.
 *
 * @module
 */
import { exitCodes, SyncError, usageError } from "../base/errors.ts";
import { guide } from "../base/guide.ts";
import type { SlotHolder } from "../state/slot.ts";
import { type LockConfig, openLock } from "./configured.ts";
import { LockError, type LockServer, type UnlockWish } from "./server.ts";

/**
 * Returns the holders of slots of the configured group, in the order in which
 * they took them.
 *
 * @returns `undefined` if the server can't list them.
 * @throws {SyncError} `no-lock`, exit 2; `lock-unreachable`, exit 3.
 */
export async function holdersNow(
  config: LockConfig,
): Promise<readonly SlotHolder[] | undefined> {
  return await atServer(config, (server) => server.holders());
}

/**
 * Frees the slot of any host.
 *
 * @returns the holder, `undefined` if nobody held it, or `untold` if the server
 * does not report it.
 * @throws {SyncError} as {@linkcode holdersNow}.
 */
export async function unlock(
  config: LockConfig,
  id: string,
  wish: UnlockWish,
): Promise<SlotHolder | "untold" | undefined> {
  return await atServer(config, (server) => server.unlock(id, wish));
}

async function atServer<T>(
  config: LockConfig,
  ask: (server: LockServer) => Promise<T>,
): Promise<T> {
  try {
    using lock = await openLock(config);
    if (lock) return await ask(lock.server);
  } catch (error) {
    if (!(error instanceof LockError)) throw error;
    const { message, hints } = error;
    throw new SyncError(`Cannot query the lock server: ${message}`, {
      stage: "slot",
      reason: "lock-unreachable",
      next: "stop",
      exit: exitCodes.remote,
      hints,
    });
  }
  throw usageError(
    "no-lock",
    "Cannot query a lock server: none is configured",
    `set lock.etcd.endpoints or lock.fleetlock.url: ${guide("fleet.md")}`,
  );
}
