/**
 * What can go wrong, as values, without secrets in their texts: every failure carries the stage it happened in,
 * a stable reason, what to type next, and whether trying again can help.
 *
 * @module
 */

import { shown } from "./redact.ts";

/** The stages of one run in their order, and what surrounds them. */
export type Stage =
  | "config"
  | "state"
  | "lock"
  | "decide"
  | "preflight"
  | "fetch"
  | "verify"
  | "secrets"
  | "build"
  | "prove"
  | "gates"
  | "slot"
  | "activate"
  | "health"
  | "confirm"
  | "recover";

/** Exit codes of the program. Scripts rely on them: never renumber. */
export const exitCodes = {
  ok: 0,
  bug: 1,
  usage: 2,
  remote: 3,
  refused: 4,
  secrets: 5,
  build: 6,
  rolledBack: 7,
  broken: 8,
  held: 9,
  locked: 10,
  needsReboot: 11,
  outOfSync: 12,
  waiting: 13,
  suspended: 14,
  rolledBackByPerson: 15,
  wouldChange: 16,
  interrupted: 130,
} as const;

/** One of {@linkcode exitCodes}. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Codes of a switch that refused before it changed anything. */
const ofRefusals: readonly ExitCode[] = [
  exitCodes.build,
  exitCodes.locked,
  exitCodes.needsReboot,
];

/** Whether a switch that was begun ended with the host as it was. */
export function isRefusedSwitch({ exit }: { exit: ExitCode }): boolean {
  return ofRefusals.includes(exit);
}

/** What each exit code means, for `--help` and the documentation. */
export const exitMeanings: Readonly<Record<ExitCode, string>> = {
  0: "in sync: deployed, or nothing to do (also suspended, rolled back, waiting for approval, gates or a slot, outside a window)",
  1: "unexpected: a bug in gitops-sync",
  2: "usage or configuration",
  3: "the repository can't be reached or fetched (retried)",
  4: "refused: not verified",
  5: "secrets: this host can't decrypt what it needs",
  6: "evaluation, build or preparation failed; nothing was changed",
  7: "activation or health failed; the previous system runs again",
  8: "activation failed and so did the way back: needs a person",
  9: "held: this revision failed before",
  10: "another run or another switch is at work",
  11: "needs a reboot: nothing was changed",
  12: "`status` and `fleet` alone: a host is not what Git says",
  13: "`status` alone: the revision waits",
  14: "`status` alone: the host is suspended",
  15: "`status` alone: a person rolled the host back",
  16: "`plan --exit-code` alone: something would change, or may",
  130: "interrupted (Ctrl-C, or its service was stopped)",
};

const exitOfStage: Readonly<Record<Stage, ExitCode>> = {
  config: exitCodes.usage,
  state: exitCodes.usage,
  lock: exitCodes.locked,
  decide: exitCodes.remote,
  preflight: exitCodes.build,
  fetch: exitCodes.remote,
  verify: exitCodes.refused,
  secrets: exitCodes.secrets,
  build: exitCodes.build,
  prove: exitCodes.secrets,
  gates: exitCodes.build,
  // What keeps a host without a slot is no fault of it.
  slot: exitCodes.ok,
  activate: exitCodes.rolledBack,
  health: exitCodes.rolledBack,
  confirm: exitCodes.rolledBack,
  recover: exitCodes.broken,
};

/**
 * What a later run does after this failure: `hold` the revision until the
 * branch moves or a person says `retry`, `retry` by itself, or neither because
 * the failure is not about a revision (`stop`).
 */
export type Next = "hold" | "retry" | "stop";

/** One thing that is wrong in a configuration, for programs. */
export interface ConfigProblem {
  /** The file; `null` where it was given as a flag or can't be told. */
  file: string | null;
  /** The line of the file, from 1. */
  line: number | null;
  /** The option as it was written, with dots; a flag with its dashes. */
  key: string | null;
  message: string;
}

/** The parts of a {@linkcode SyncError} beside its message. */
export interface Failure {
  /** Where it happened. */
  stage: Stage;
  /** A stable name in kebab-case for scripts and tests, e.g. `disk-full`. */
  reason: string;
  /** What a later run does. */
  next: Next;
  /** What a person can do about it, one sentence each. */
  hints?: readonly string[];
  /** Lines of evidence, e.g. the end of a build log. Already redacted. */
  details?: readonly string[];
  /** Milliseconds that a later run waits at least, where a server says so. */
  after?: number;
  /** Where the stage's own exit code does not fit. */
  exit?: ExitCode;
  /** What is wrong in the configuration, one by one. */
  problems?: readonly ConfigProblem[];
  /** The error underneath, if any. */
  cause?: unknown;
}

/** A failure that was foreseen: shown with its hints, never with a stack. */
export class SyncError extends Error {
  override readonly name = "SyncError";
  /** Where it happened. */
  readonly stage: Stage;
  /** A stable name in kebab-case. */
  readonly reason: string;
  /** What a later run does. */
  readonly next: Next;
  /** What a person can do about it. */
  readonly hints: readonly string[];
  /** Lines of evidence. */
  readonly details: readonly string[];
  /** Milliseconds that a later run waits at least. */
  readonly after: number;
  /** The exit code of the program. */
  readonly exit: ExitCode;
  /** What is wrong in the configuration, one by one. */
  readonly problems: readonly ConfigProblem[];

  constructor(message: string, failure: Failure) {
    super(shown(message), { cause: failure.cause });
    this.stage = failure.stage;
    this.reason = failure.reason;
    this.next = failure.next;
    this.hints = (failure.hints ?? []).map(shown);
    this.details = (failure.details ?? []).map(shown);
    this.after = failure.after ?? 0;
    this.exit = failure.exit ?? exitOfStage[failure.stage];
    this.problems = (failure.problems ?? []).map((problem) => ({
      ...problem,
      message: shown(problem.message),
    }));
  }
}

/** The exit code for anything thrown: unknown errors are bugs. */
export function exitCodeOf(error: unknown): ExitCode {
  return error instanceof SyncError ? error.exit : exitCodes.bug;
}

/** A mistake in a configuration, with what is wrong one by one for programs. */
export function configError(
  reason: string,
  message: string,
  problems: readonly ConfigProblem[],
  hints: readonly string[],
): SyncError {
  return new SyncError(message, {
    stage: "config",
    reason,
    next: "stop",
    hints,
    problems,
  });
}

/** A mistake in arguments or configuration: exit 2, told with a hint. */
export function usageError(
  reason: string,
  message: string,
  ...hints: string[]
): SyncError {
  return new SyncError(message, {
    stage: "config",
    reason,
    next: "stop",
    hints,
  });
}
