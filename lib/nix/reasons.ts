/**
 * Lists why a build can fail, and which of these are certainly the fault of the
 * revision. Pure.
 *
 * The rule: only a failure that is certain to repeat holds a revision. These
 * are an error of the evaluator, which Nix marks as such, a builder that ran
 * and failed without a network, and a missing part of the flake. After any
 * other failure, also an unknown one, the next run tries again.
 *
 * If there is more than one error, a full disk comes first, because it causes
 * others; then the certain ones; then the rest.
 *
 * @module
 */
import type { NixError } from "./log_entry.ts";

/** The most lines of a derivation's log that are kept. */
export const logLines = 25;

/** Why a build failed. Stable: part of the state and of `--json`. */
export type BuildReason =
  /** No space left for the store, its database or the build. */
  | "disk-full"
  /** The flake has no `nixosConfigurations.HOST`. */
  | "host-missing"
  /** There is no `flake.nix`. */
  | "flake-missing"
  /** `flake.lock` is missing, or does not match `flake.nix`. */
  | "lock-outdated"
  /** A derivation of this revision does not build. */
  | "builder-failed"
  /** The Nix code of this revision is wrong. */
  | "evaluation-error"
  /** A download or an input does not match its hash. */
  | "hash-mismatch"
  /** A server limits requests. */
  | "slow-down"
  /** A server does not accept the credentials, or requires some. */
  | "input-denied"
  /** An input is missing, or this host may not read it. */
  | "input-unavailable"
  /** A derivation that downloads something failed. */
  | "download-failed"
  /** No memory left, or a builder was killed. */
  | "out-of-memory"
  /** Something outside killed a builder. */
  | "builder-killed"
  /** A builder timed out. */
  | "builder-timed-out"
  /** No machine may build it. */
  | "no-builder"
  /** A substituter, an input or a source cannot be reached. */
  | "network"
  /** The Nix daemon cannot be reached or stopped, or its database is busy. */
  | "daemon"
  /**
   * A problem of the machine: a read-only or broken disk, too many open files.
   */
  | "system"
  /** None of these. */
  | "unknown";

/** The end of one derivation's log. */
export interface BuildLog {
  /** The path of the derivation. */
  drv: string;
  lines: string[];
}

/** An error with its meaning. */
export interface Judged {
  reason: BuildReason;
  error: NixError;
  /** The derivation that failed, if one did. */
  drv?: string;
  context?: string[];
}

/** Everything that the log and the store show about a failed build. */
export interface Evidence {
  errors: readonly NixError[];
  /** Lines that are not JSON: of nixos-rebuild, git, ssh. */
  plain: readonly string[];
  /** The end of a derivation's log. */
  logOf(drv: string): BuildLog | undefined;
  /**
   * Returns whether a derivation may not use the network, because its output
   * has no fixed hash; `false` if unknown.
   */
  isOffline(drv: string): boolean;
}

/** In order: an earlier reason explains the later ones. */
const ranks: readonly BuildReason[] = [
  "disk-full",
  "host-missing",
  "flake-missing",
  "lock-outdated",
  "builder-failed",
  "evaluation-error",
  "hash-mismatch",
  "slow-down",
  "input-denied",
  "input-unavailable",
  "download-failed",
  "out-of-memory",
  "builder-killed",
  "builder-timed-out",
  "network",
  "daemon",
  "system",
  "no-builder",
  "unknown",
];

const certain = new Set<BuildReason>([
  "host-missing",
  "flake-missing",
  "lock-outdated",
  "builder-failed",
  "evaluation-error",
]);

/** Returns the position in that order; the smallest explains the others. */
export function rank(judged: Judged): number {
  return ranks.indexOf(judged.reason);
}

/** Returns whether the same revision may build later. */
export function isTransient(reason: BuildReason): boolean {
  return !certain.has(reason);
}
