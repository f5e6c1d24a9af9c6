/**
 * Reads key files, and creates the errors for those that can't be used.
 *
 * @module
 */
import { SyncError } from "../base/errors.ts";
import { unsafePart } from "../host/trusted_path.ts";

/** A key file and where it comes from. */
export interface KeyFile {
  /** Its name for messages. */
  where: string;
  bytes: Uint8Array;
}

/** The largest key file in bytes; real ones are smaller. */
const mostBytes = 4 * 2 ** 20;

/**
 * Reads a file that only its owner or root can have written. Opens it once, so
 * that the checked file is the one that is read, even if its path changes.
 *
 * @throws {SyncError} `keys-missing`, `keys-empty`, `keys-broken`,
 * `keys-unsafe`
 */
export function readKeyFile(where: string): KeyFile {
  try {
    // Opening a pipe would block.
    refuseOther(where, Deno.statSync(where));
    using file = Deno.openSync(where);
    const info = file.statSync();
    refuseOther(where, info);
    refuseForeign(where, info);
    return { where, bytes: readAll(file, info.size) };
  } catch (error) {
    if (error instanceof SyncError) throw error;
    const why = error instanceof Deno.errors.NotFound
      ? "there is no such file"
      : (error as Error).message;
    throw keysError("keys-missing", `${where} can't be read: ${why}`);
  }
}

function refuseOther(where: string, { isFile, size }: Deno.FileInfo): void {
  if (!isFile) throw keysError("keys-broken", `${where} is not a file`);
  if (size > mostBytes) {
    throw keysError("keys-broken", `${where} is larger than 4 MiB`);
  }
  if (size === 0) throw keysError("keys-empty", `${where} is empty`);
}

function refuseForeign(where: string, { uid, mode }: Deno.FileInfo): void {
  const isOurs = uid === 0 || uid === Deno.uid();
  if (!isOurs || (mode! & 0o022) !== 0) {
    throw keysError(
      "keys-unsafe",
      `users other than root may write to ${where}: run chown root ${where}; chmod go-w ${where}`,
    );
  }
  const foreign = unsafePart(where);
  if (!foreign) return;
  throw keysError(
    "keys-unsafe",
    `${foreign.path} leads to ${where}, and ${foreign.why}: run chown root ${foreign.path}; chmod go-w ${foreign.path}`,
  );
}

/** Reads at most the size that was checked. */
function readAll(file: Deno.FsFile, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let length = 0;
  while (length < size) {
    const read = file.readSync(bytes.subarray(length));
    if (read === null) break;
    length += read;
  }
  return bytes.subarray(0, length);
}

/**
 * Returns an error about the trusted keys: nothing passes until it is fixed.
 */
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
      "fix the files of verify.allowedSigners, verify.openpgpKeys and verify.revokedKeys, or those in the folder of verify.keysFrom; the revision was not evaluated, and the host is unchanged",
    ],
  });
}
