/**
 * Why a build can fail, and which of that is the revision's fault for certain.
 * Pure.
 *
 * The rule: only what is certain to be the same next time holds a revision.
 * That is an error of the evaluator, which Nix marks as such, a builder that
 * ran and failed without a network, and what is missing in the flake. Every
 * other text, an unknown one included, is tried again.
 *
 * Of several errors a full disk wins, because it makes others fail; then what
 * is certain; then the rest.
 *
 * @module
 */
import type { NixError } from "./log_entry.ts";

/** How many lines of a derivation's log are kept. */
export const logLines = 25;

/** Why a build failed. Stable: part of the state and of `--json`. */
export type BuildReason =
  /** No space left for the store, its database or the build. */
  | "disk-full"
  /** The flake has no `nixosConfigurations.HOST`. */
  | "host-missing"
  /** There is no `flake.nix`. */
  | "flake-missing"
  /** `flake.lock` is missing, or does not agree with `flake.nix`. */
  | "lock-outdated"
  /** A derivation of this revision does not build. */
  | "builder-failed"
  /** The Nix code of this revision is wrong. */
  | "evaluation-error"
  /** A download or an input is not what its hash says. */
  | "hash-mismatch"
  /** A server asks for fewer questions. */
  | "slow-down"
  /** A server does not accept the credentials, or wants some. */
  | "input-denied"
  /** An input is not there, or this host may not read it. */
  | "input-unavailable"
  /** A derivation that downloads failed. */
  | "download-failed"
  /** No memory left, or a builder was killed. */
  | "out-of-memory"
  /** A builder was ended from outside. */
  | "builder-killed"
  /** A builder took longer than Nix lets it. */
  | "builder-timed-out"
  /** Nothing here or elsewhere may build it. */
  | "no-builder"
  /** A substituter, an input or a source can't be reached. */
  | "network"
  /** The Nix daemon can't be reached or went away, or its database is busy. */
  | "daemon"
  /** The machine: read-only or broken disk, too many open files. */
  | "system"
  /** None of these. */
  | "unknown";

/** The end of one derivation's log. */
export interface BuildLog {
  /** The path of the derivation. */
  drv: string;
  lines: string[];
}

/** An error with what it means. */
export interface Judged {
  reason: BuildReason;
  error: NixError;
  /** The derivation that failed, if one did. */
  drv?: string;
  context?: string[];
}

/** Everything about a failed build that the log and the store have told. */
export interface Evidence {
  errors: readonly NixError[];
  /** Lines that were no entries: of nixos-rebuild, git, ssh. */
  plain: readonly string[];
  /** The end of a derivation's log. */
  logOf(drv: string): BuildLog | undefined;
  /**
   * Whether a derivation may use no network: its output has no fixed hash.
   * `false` where that can't be told.
   */
  isOffline(drv: string): boolean;
}

/** In the order in which one explains the others. */
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

/** Where a judgement stands in that order; the smallest explains the others. */
export function rank(judged: Judged): number {
  return ranks.indexOf(judged.reason);
}

/** Whether the same revision may build later. */
export function isTransient(reason: BuildReason): boolean {
  return !certain.has(reason);
}
