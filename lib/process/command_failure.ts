/**
 * The errors of a program that did not run, or not to its end.
 *
 * @module
 */
import { exitCodes, SyncError, usageError } from "../base/errors.ts";

/** It is not on PATH. */
export function missing(program: string): SyncError {
  return usageError(
    "program-missing",
    `Cannot run ${program}: it is not on PATH`,
    `install ${program}, or add its folder to the PATH that gitops-sync is started with`,
  );
}

/** The user may not run it. */
export function forbidden(program: string): SyncError {
  return usageError(
    "program-forbidden",
    `Cannot run ${program}: this user may not execute it`,
    `look at the permissions of ${program} on PATH (ls -l), and whether its file system is mounted noexec`,
  );
}

/** Deno may not run it: the package names what it may (nix/package.nix). */
export function notAllowed(program: string): SyncError {
  return usageError(
    "program-not-allowed",
    `Cannot run ${program}: the installed gitops-sync may run a fixed list of programs only`,
    "on a host with systemd nothing else is needed; elsewhere run a checkout: deno run --allow-all gitops_sync.ts",
  );
}

/** A person, or systemd, ended the run. */
export function interrupted(): SyncError {
  return new SyncError("Interrupted by a person or by systemd", {
    stage: "decide",
    reason: "interrupted",
    next: "retry",
    exit: exitCodes.interrupted,
    hints: ["run gitops-sync again: it finishes or undoes what was begun"],
  });
}

/** It wrote more than `most` bytes. */
export function outputTooLarge(program: string, most: number): SyncError {
  return new SyncError(
    `Cannot use the output of ${program}: it is over ${most >> 20} MiB long`,
    { stage: "fetch", reason: "output-too-large", next: "retry" },
  );
}

/** For a program that was fed more than anything sensible needs. */
export function overLimit(program: string): SyncError {
  return new SyncError(
    `Cannot go on with ${program}: what it was sent takes too much memory or space`,
    {
      stage: "fetch",
      reason: "limit",
      next: "retry",
      hints: [
        "look in a clone of the repository for what is so large: git cat-file --batch-check --batch-all-objects",
      ],
    },
  );
}
