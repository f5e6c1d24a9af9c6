/**
 * The checks of `doctor`: how each runs, and its result.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import { type ExitCode, exitCodes, SyncError } from "../base/errors.ts";
import { formatDuration } from "../base/duration.ts";
import { foreseen } from "../base/os_error.ts";
import type { Config } from "../config/schema.ts";
import type { Tip } from "../base/tip.ts";
import type { Run } from "../run/run.ts";
import type { Verified } from "../run/stages.ts";
import type { State } from "../state/state.ts";

/** `unknown`: the check did not run, or gave no answer. That never counts as ok. */
export type CheckState = "ok" | "warning" | "problem" | "unknown";

/** The result of one check, without its name. */
export interface Finding {
  state: CheckState;
  /** The fact, or the reason, in one sentence. */
  text: string;
  /** How to fix it, one sentence each. */
  hints?: readonly string[];
  /** Lines of evidence, without secrets. */
  details?: readonly string[];
}

/** What earlier checks found, for later checks. */
export interface Known {
  state?: State;
  tip?: Tip;
  /** The repository answers, but does not have the ref. */
  noRef?: SyncError;
  /** A run in its own folder, which has fetched the tip. */
  run?: Run;
  verified?: Verified;
  /** Held from the first check that no run may disturb. */
  lock?: Disposable;
}

/** The input of a check. */
export interface Context {
  effects: Effects;
  /** Missing if the configuration is invalid. */
  config?: Config;
  known: Known;
}

/** The same for a check that needs the configuration. */
export interface Configured extends Context {
  config: Config;
}

/** One check. */
export interface Check {
  /** A stable name for programs. */
  name: string;
  /** The checks that must be ok before this one can run. */
  needs?: readonly string[];
  /** What only root can read; nothing if any user can run the check. */
  root?: (config: Config) => string | undefined;
  /** The exit code of the program if this check fails. */
  exit: ExitCode;
  /** The time limit in milliseconds; half a minute by default. */
  patience?: number;
  look: (context: Configured) => Promise<Finding> | Finding;
}

/** A check and its result. */
export interface Result extends Finding {
  name: string;
  exit: ExitCode;
}

/** Makes a result: nothing is wrong. */
export const ok = (text: string): Finding => ({ state: "ok", text });

/** Makes a result: a sync may still work. */
export const warning = (text: string, ...hints: string[]): Finding => ({
  state: "warning",
  text,
  hints,
});

/** Makes a result: a sync can't work. */
export const problem = (text: string, ...hints: string[]): Finding => ({
  state: "problem",
  text,
  hints,
});

/** Makes a result: the check did not run. */
export const unknown = (text: string, ...hints: string[]): Finding => ({
  state: "unknown",
  text,
  hints,
});

const usualPatience = 30_000;

/** Extra time for a check that does not end by itself. */
const grace = 5_000;

/** Gets the progress of the checks. */
export interface Follower {
  /** A check begins. */
  begins?: (name: string) => void;
  /** It has ended. */
  told: (result: Result) => void;
}

/**
 * Runs the checks in order. A check that fails does not stop the others. A check
 * that needs a failed one does not run, and reports that.
 *
 * @throws {SyncError} `interrupted`, if a person ends it.
 */
export async function runChecks(
  checks: readonly Check[],
  context: Context,
  { begins, told }: Follower,
): Promise<Result[]> {
  const results = new Map<string, Result>();
  for (const check of checks) {
    begins?.(check.name);
    const finding = await resultOf(check, context, results);
    const result = { name: check.name, exit: check.exit, ...finding };
    results.set(check.name, result);
    told(result);
  }
  return [...results.values()];
}

async function resultOf(
  check: Check,
  context: Context,
  results: ReadonlyMap<string, Result>,
): Promise<Finding> {
  const failedNeed = check.needs?.find((name) => {
    const state = results.get(name)?.state;
    return state !== "ok" && state !== "warning";
  });
  if (failedNeed !== undefined) {
    return unknown(`not checked, because ${failedNeed} is not ok`);
  }
  const { config } = context;
  const secret = config && Deno.uid() !== 0 && check.root?.(config);
  if (secret) {
    return unknown(
      `not checked: only root can read ${secret}`,
      "run sudo gitops-sync doctor",
    );
  }
  return await withTimeLimit(check, context);
}

/** Runs a check with a time limit, whatever it waits for. */
async function withTimeLimit(check: Check, context: Context): Promise<Finding> {
  const { effects } = context;
  const patience = check.patience ?? usualPatience;
  const end = effects.monotonic() + patience;
  const warnings: string[] = [];
  const within: Effects = {
    ...effects,
    run: (command) =>
      effects.run({
        ...command,
        timeout: Math.max(
          1,
          Math.min(command.timeout, end - effects.monotonic()),
        ),
      }),
    // What a run would report belongs to the result here.
    tell: (event) => {
      const counts = event.kind === "message" &&
        (event.level === "warning" || event.level === "error");
      if (counts) warnings.push([event.text, ...event.hints ?? []].join("; "));
    },
  };
  const late = unknown(
    `no answer within ${formatDuration(patience)}`,
    "try again when the host is less busy",
  );
  let timer: ReturnType<typeof setTimeout> | undefined;
  const alarm = new Promise<Finding>((resolve) => {
    timer = setTimeout(() => resolve(late), patience + grace);
  });
  try {
    // A check that needs the configuration names it in `needs`.
    const work = check.look({ ...context, effects: within } as Configured);
    return withWarnings(await Promise.race([work, alarm]), warnings);
  } catch (thrown) {
    return failureOf(foreseen(thrown));
  } finally {
    clearTimeout(timer);
  }
}

function withWarnings(
  finding: Finding,
  warnings: readonly string[],
): Finding {
  if (warnings.length === 0) return finding;
  return {
    ...finding,
    state: finding.state === "ok" ? "warning" : finding.state,
    details: [...finding.details ?? [], ...warnings],
  };
}

/** Turns the error of a stage of a run into a result. */
export function failureOf(error: unknown): Finding {
  if (!(error instanceof SyncError) || error.reason === "interrupted") {
    throw error;
  }
  const { message, hints, details, reason } = error;
  const state = reason === "permission-denied" && Deno.uid() !== 0
    ? "unknown"
    : "problem";
  return { state, text: message, hints, details };
}

/** Returns the exit code of the first result that is neither ok nor a warning. */
export function exitOf(results: readonly Result[]): ExitCode {
  const first = results.find(({ state }) => state === "problem") ??
    results.find(({ state }) => state === "unknown");
  return first?.exit ?? exitCodes.ok;
}
