/**
 * The errors of a program that did not start, or did not run to its end.
 *
 * @module
 */
import { exitCodes, SyncError, usageError } from "../base/errors.ts";

/** The program is not on PATH. */
export function missing(program: string): SyncError {
  return usageError(
    "program-missing",
    `Cannot run ${program}: it is not on PATH`,
    `Install ${program}, or add its folder to the PATH of gitops-sync.`,
  );
}

/** The user may not run the program. */
export function forbidden(program: string): SyncError {
  return usageError(
    "program-forbidden",
    `Cannot run ${program}: this user may not execute it`,
    `Check the permissions of the file with \`ls -l\`, and that its file system is not mounted with noexec.`,
  );
}

/** Deno may not run the program: the package has a fixed list (nix/package.nix). */
export function notAllowed(program: string): SyncError {
  return usageError(
    "program-not-allowed",
    `Cannot run ${program}: the installed gitops-sync may only run a fixed list of programs`,
    "On a host with systemd, this list is enough. On other hosts, run gitops-sync from a checkout: `deno run --allow-all gitops_sync.ts`.",
  );
}

/** A person or systemd stopped the run. */
export function interrupted(): SyncError {
  return new SyncError("Interrupted by a person or by systemd", {
    stage: "decide",
    reason: "interrupted",
    next: "retry",
    exit: exitCodes.interrupted,
    hints: [
      "Run `gitops-sync sync` again. It finishes or undoes what this run began.",
    ],
  });
}

/** The program wrote more than `most` bytes. */
export function outputTooLarge(program: string, most: number): SyncError {
  return new SyncError(
    `Cannot use the output of ${program}: it is longer than ${most >> 20} MiB`,
    { stage: "fetch", reason: "output-too-large", next: "retry" },
  );
}

/** A server made the program use more memory or disk space than it may. */
export function overLimit(program: string): SyncError {
  return new SyncError(
    `${program} was stopped: the data that it received takes too much memory or disk space`,
    {
      stage: "fetch",
      reason: "limit",
      next: "retry",
      hints: [
        "Find the large objects in a clone of the repository: `git cat-file --batch-check --batch-all-objects`.",
      ],
    },
  );
}
