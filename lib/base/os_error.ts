/**
 * Errors of the operating system that are nobody's bug: a missing right, a full
 * or broken disk, a name that is no text.
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
  hint: "run as root (sudo)",
};
const full: Sort = {
  reason: "disk-full",
  next: "retry",
  hint: "free some space: df -h; nix-collect-garbage --delete-older-than 30d",
};
const broken: Sort = {
  reason: "disk-broken",
  next: "retry",
  hint: "look at the disk: journalctl -k; dmesg",
};
const unstartable: Sort = {
  reason: "program-missing",
  next: "retry",
  hint: "look whether it is on PATH, and whether there is a /dev/null",
};
const passing: Sort = {
  reason: "host-overloaded",
  next: "retry",
  hint:
    "the host is short of something (memory, open files) or a disk is slow: free -h; ulimit -n; journalctl -k",
};
const misplaced: Sort = {
  reason: "path-unusable",
  next: "stop",
  hint: "something else is in that place; move it away, or name another path",
};

/** Numbers of errors that are told apart (errno(3), Linux). */
export const errno = { notAFolder: 20, isAFolder: 21, loop: 40 } as const;

/**
 * Whether an error of a file has one of these numbers. Deno before 2.4 has no
 * class of its own for them.
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
      "Cannot read a variable of the environment: expected UTF-8",
      "find it and leave it out: env | LC_ALL=C.UTF-8 grep -axv '.*'",
    );
  }
  const path = /^File name or path (".*") is not valid/.exec(error.message);
  return path
    ? usageError(
      "path-not-text",
      `Cannot use ${path[1]}: expected UTF-8`,
      "give the file or folder another name",
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
 * What was thrown, as an error that is told with a hint if it is one of the
 * operating system's about a file or a variable; else as it is.
 */
export function foreseen(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof SyncError) return error;
  if (error instanceof Deno.errors.InvalidData) return notText(error);
  // By name: its module knows no errors of ours, and nothing loads it for this.
  if (error.name === "UnseenError") {
    return known(`Cannot look at ${error.message}`, passing, error);
  }
  // One that is not on PATH has no number.
  const absent = /^Failed to spawn '(.*)': entity not found$/s.exec(
    error.message,
  )?.[1];
  if (absent) {
    return known(`Cannot start ${absent}: not on PATH`, unstartable, error);
  }
  // Deno's form: "Failed to spawn '/usr/bin/cat': Too many open files (os error 24)".
  const [, program, why, code] =
    /^Failed to spawn '(.*)': (.*) \(os error (\d+)\)$/s.exec(error.message) ??
      [];
  const sortOf = sorts[Number(code)] ?? unstartable;
  if (program) return known(`Cannot start ${program}: ${why}`, sortOf, error);
  // The other form: "Permission denied (os error 13): open '/some/path'".
  const found = /^(.*) \(os error (\d+)\)(?:: (\w+) (.*))?$/s.exec(
    error.message,
  );
  const sort = sorts[Number(found?.[2])];
  if (!found || !sort) return error;
  const [, says, , , path = "a file"] = found;
  return known(`Cannot use ${path}: ${says}`, sort, error);
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
