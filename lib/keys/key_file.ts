/**
 * Files of keys, and what is said where one can't be used.
 *
 * @module
 */
import { SyncError } from "../base/errors.ts";
import { unsafePart } from "../host/trusted_path.ts";

/** A file of keys and where it came from. */
export interface KeyFile {
  /** Its name for messages. */
  where: string;
  bytes: Uint8Array;
}

/** More than any set of people needs. */
const mostBytes = 4 * 2 ** 20;

/**
 * Reads a file that nobody but its owner or root could have written, once: what
 * is looked at is what is read, whatever comes to be at its path meanwhile.
 *
 * @throws {SyncError} `keys-missing`, `keys-empty`, `keys-broken`,
 * `keys-unsafe`
 */
export function readKeyFile(where: string): KeyFile {
  try {
    // Of a pipe, opening would not end.
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
    throw keysError("keys-broken", `${where} is too large`);
  }
  if (size === 0) throw keysError("keys-empty", `${where} is empty`);
}

function refuseForeign(where: string, { uid, mode }: Deno.FileInfo): void {
  const isOurs = uid === 0 || uid === Deno.uid();
  if (!isOurs || (mode! & 0o022) !== 0) {
    throw keysError(
      "keys-unsafe",
      `others than root may write to ${where} (chown root, chmod go-w)`,
    );
  }
  const foreign = unsafePart(where);
  if (!foreign) return;
  throw keysError(
    "keys-unsafe",
    `${foreign.path} leads to ${where}, and ${foreign.why} (chown root, chmod go-w)`,
  );
}

/** No more than there was when it was looked at. */
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
