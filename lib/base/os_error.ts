/**
 * Errors of the operating system that are no bug of ours: a missing permission,
 * a full or broken disk, a name that is not UTF-8.
 *
 * @module
 */
import { type Next, SyncError, usageError } from "./errors.ts";

interface Sort {
  reason: string;
  next: Next;
  hint: string;
}

const denied: Sort = {
  reason: "permission-denied",
  next: "stop",
  hint: "Run the command as root, with `sudo`.",
};
const full: Sort = {
  reason: "disk-full",
  next: "retry",
  hint:
    "Find the full file system with `df -h`. Then free some space, for example with `nix-collect-garbage --delete-older-than 30d`.",
};
const broken: Sort = {
  reason: "disk-broken",
  next: "retry",
  hint: "Check the disk for errors: `journalctl -k`.",
};
const unstartable: Sort = {
  reason: "program-missing",
  next: "retry",
  hint: "Check that the program is on PATH, and that /dev/null exists.",
};
const passing: Sort = {
  reason: "host-overloaded",
  next: "retry",
  hint:
    "Check memory, open files and disks: `free -h`, `ulimit -n`, `journalctl -k`. The next run tries again.",
};
const misplaced: Sort = {
  reason: "path-unusable",
  next: "stop",
  hint:
    "Another file or folder is in that place. Move it away, or name another path.",
};

/** The numbers of the errors that callers tell apart (errno(3), Linux). */
export const errno = { notAFolder: 20, isAFolder: 21, loop: 40 } as const;

/**
 * Returns whether an error of the operating system has one of these numbers.
 * Deno before 2.4 has no classes for them.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { errno, isNumbered } from "./os_error.ts";
 *
 * const error = new Error("Not a directory (os error 20): stat '/a/b'");
 * assert(isNumbered(error, errno.notAFolder));
 * assert(!isNumbered(error, errno.loop));
 * ```
 */
export function isNumbered(error: unknown, ...numbers: number[]): boolean {
  const found = error instanceof Error &&
    /\(os error (\d+)\)/.exec(error.message);
  return found ? numbers.includes(Number(found[1])) : false;
}

/** Deno reads variables and names of files only if they are UTF-8. */
function notText(error: Deno.errors.InvalidData): Error {
  // The value of a variable may be a secret.
  if (/^environment variable was not valid/.test(error.message)) {
    return usageError(
      "variable-not-text",
      "Cannot read an environment variable: expected UTF-8",
      "Find the variable with `env | LC_ALL=C.UTF-8 grep -axv '.*'`, and unset it.",
    );
  }
  const path = /^File name or path (".*") is not valid/.exec(error.message);
  return path
    ? usageError(
      "path-not-text",
      `Cannot use ${path[1]}: expected UTF-8`,
      "Rename the file or folder.",
    )
    : error;
}

/** By number (errno(3), Linux). */
const sorts: Readonly<Record<number, Sort>> = {
  1: denied, // EPERM
  13: denied, // EACCES
  4: passing, // EINTR
  5: broken, // EIO
  11: passing, // EAGAIN
  12: passing, // ENOMEM
  16: passing, // EBUSY
  17: misplaced, // EEXIST
  20: misplaced, // ENOTDIR
  21: misplaced, // EISDIR
  23: passing, // ENFILE
  24: passing, // EMFILE
  27: full, // EFBIG
  28: full, // ENOSPC
  30: broken, // EROFS
  36: misplaced, // ENAMETOOLONG
  40: misplaced, // ELOOP
  110: broken, // ETIMEDOUT
  116: broken, // ESTALE
  122: full, // EDQUOT
};

/**
 * Turns an error of the operating system about a file, a program or a variable
 * into a {@linkcode SyncError} with a hint. Returns any other error unchanged.
 */
export function foreseen(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof SyncError) return error;
  if (error instanceof Deno.errors.InvalidData) return notText(error);
  // By name, so that its module is not loaded for this.
  if (error.name === "UnseenError") {
    return known(`Cannot read ${error.message}`, passing, error);
  }
  // One that is not on PATH has no number.
  const absent = /^Failed to spawn '(.*)': entity not found$/s.exec(
    error.message,
  )?.[1];
  if (absent) {
    return known(
      `Cannot start ${absent}: it is not on PATH`,
      unstartable,
      error,
    );
  }
  // Deno's form: "Failed to spawn '/usr/bin/cat': Too many open files (os error 24)".
  const [, program, why, code] =
    /^Failed to spawn '(.*)': (.*) \(os error (\d+)\)$/s.exec(error.message) ??
      [];
  const sortOf = sorts[Number(code)] ?? unstartable;
  if (program) return known(`Cannot start ${program}: ${why}`, sortOf, error);
  // The other form: "Permission denied (os error 13): open '/some/path'".
  const found = /^(.*) \(os error (\d+)\)(?:: (tmpdir|tmpfile|\w+ .*))?$/s
    .exec(error.message);
  const sort = sorts[Number(found?.[2])];
  if (!found || !sort) return error;
  return known(`Cannot use ${placeIn(found[3])}: ${found[1]}`, sort, error);
}

/**
 * Returns the path that an error of Deno names.
 *
 * @param call The system call and its path, e.g. `open '/some/path'`.
 */
function placeIn(call: string | undefined): string {
  if (call === undefined) {
    return "a file or socket that the system does not name";
  }
  const path = /^\w+ (.*)$/s.exec(call)?.[1];
  return path ?? "the folder for temporary files (TMPDIR, or /tmp)";
}

function known(
  message: string,
  { reason, next, hint }: Sort,
  cause: Error,
): SyncError {
  return new SyncError(message, {
    stage: "state",
    reason,
    next,
    hints: [hint],
    cause,
  });
}
