/**
 * What can go wrong, as values. The texts hold no secrets. Every failure carries
 * the stage it happened in, a stable reason, what to type next, and whether a
 * later run tries again.
 *
 * @module
 */

import { shown } from "./redact.ts";

/** The stages of a run in their order, and the steps around them. */
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

/** The exit codes of a switch that refused before it changed anything. */
const exitsOfRefusals: readonly ExitCode[] = [
  exitCodes.build,
  exitCodes.locked,
  exitCodes.needsReboot,
];

/** Whether a switch was started, but refused before it changed the host. */
export function isRefusedSwitch({ exit }: { exit: ExitCode }): boolean {
  return exitsOfRefusals.includes(exit);
}

/** What each exit code means, for `--help` and the documentation. */
export const exitMeanings: Readonly<Record<ExitCode, string>> = {
  0: "success: the host is in sync, or there is nothing to do now (suspended, rolled back, outside a time window, or waiting for approval, a gate or a slot)",
  1: "internal error: a bug in gitops-sync",
  2: "wrong arguments or configuration, or a file of this host cannot be used",
  3: "the repository could not be queried or fetched; the next run tries again",
  4: "the commit was refused: it is not verified",
  5: "this host cannot decrypt a secret that it needs",
  6: "the evaluation, the build or a check before the activation failed; the host was not changed",
  7: "the activation or a health check failed; the host was rolled back",
  8: "the activation failed, and the rollback failed too; manual action is needed",
  9: "the commit is blocked, because it failed before; push a fix, or run `gitops-sync retry`",
  10: "another run or another switch is in progress",
  11: "the change needs a reboot; the host was not changed",
  12: "only `status` and `fleet`: a host is out of sync with Git",
  13: "only `status`: a commit waits to be deployed",
  14: "only `status`: deployments are suspended",
  15: "only `status`: a person rolled the host back",
  16: "only `plan --exit-code`: a sync would change something, or might",
  130: "interrupted by Ctrl-C, or because the service was stopped",
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
  // To wait for a slot is no failure.
  slot: exitCodes.ok,
  activate: exitCodes.rolledBack,
  health: exitCodes.rolledBack,
  confirm: exitCodes.rolledBack,
  recover: exitCodes.broken,
};

/**
 * What a later run does after this failure. `hold`: it blocks the revision until
 * the branch moves or a person runs `gitops-sync retry`. `retry`: it tries
 * again. `stop`: neither, because the failure is not about a revision.
 */
export type Next = "hold" | "retry" | "stop";

/** One thing that is wrong in a configuration, for programs. */
export interface ConfigProblem {
  /** The file; `null` for a flag, or if the file is unknown. */
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
  /** What a person can do about it, one or two sentences each. */
  hints?: readonly string[];
  /** Lines of evidence, e.g. the end of a build log. Already redacted. */
  details?: readonly string[];
  /** Milliseconds that a later run waits at least, if a server asks for it. */
  after?: number;
  /** The exit code, if it is not that of the stage. */
  exit?: ExitCode;
  /** Each mistake in the configuration. */
  problems?: readonly ConfigProblem[];
  /** The error underneath, if any. */
  cause?: unknown;
}

/** An expected failure: shown with its hints, never with a stack. */
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
  /** Each mistake in the configuration. */
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

/** Returns the exit code for anything thrown: unknown errors are bugs. */
export function exitCodeOf(error: unknown): ExitCode {
  return error instanceof SyncError ? error.exit : exitCodes.bug;
}

/** Returns the error for a wrong configuration, with a list for programs. */
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

/** Returns the error for wrong arguments or configuration: exit 2. */
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
