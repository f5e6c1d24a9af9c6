/**
 * Files of keys, and what is said where one can't be used.
 *
 * @module
 */
import { SyncError } from "../base/errors.ts";

/** A file of keys and where it came from. */
export interface KeyFile {
  /** Its name for messages. */
  where: string;
  bytes: Uint8Array;
}

/** An error about the trusted keys: nothing passes until it is mended. */
export function keysError(
  reason: string,
  why: string,
  details: readonly string[] = [],
): SyncError {
  return new SyncError(`Cannot check signatures: ${why}`, {
    stage: "verify",
    reason,
    next: "retry",
    details,
    hints: [
      "mend the files of verify.allowedSigners, verify.openpgpKeys and verify.revokedKeys, or those in the folder of verify.keysFrom; nothing of the repository was evaluated, and the host is as it was",
    ],
  });
}
