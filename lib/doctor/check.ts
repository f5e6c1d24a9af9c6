/**
 * One thing that a sync on this host rests on, and how it stands.
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

/**
 * `unknown`: it was not looked at, or the look gave no answer. That is never
 * good.
 */
export type Standing = "ok" | "warning" | "problem" | "unknown";

/** How one thing stands. */
export interface Finding {
  state: Standing;
  /** The fact, or the reason, in one sentence. */
  text: string;
  /** What mends it, one sentence each. */
  hints?: readonly string[];
  /** Lines of evidence, without secrets. */
  details?: readonly string[];
}

/** What earlier checks have found out for later ones. */
export interface Known {
  state?: State;
  tip?: Tip;
  /** The repository answers, and has not what is followed. */
  noRef?: SyncError;
  /** A run in a folder of its own, which has fetched the tip. */
  run?: Run;
  verified?: Verified;
  /** Held from the first look that no run may disturb. */
  lock?: Disposable;
}

/** What a check may use. */
export interface Context {
  effects: Effects;
  /** Missing where the configuration can't be used. */
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
  /** The checks without which this one can't be made. */
  needs?: readonly string[];
  /** What only root can look at; nothing where anybody can. */
  root?: (config: Config) => string | undefined;
  /** What the program ends with where this check is not well. */
  exit: ExitCode;
  /** Milliseconds that it may take; half a minute by default. */
  patience?: number;
  look: (context: Configured) => Promise<Finding> | Finding;
}

/** A check and how it stands. */
export interface Result extends Finding {
  name: string;
  exit: ExitCode;
}

/** Everything is as it should be. */
export const ok = (text: string): Finding => ({ state: "ok", text });

/** A sync may work all the same. */
export const warning = (text: string, ...hints: string[]): Finding => ({
  state: "warning",
  text,
  hints,
});

/** A sync can't work. */
export const problem = (text: string, ...hints: string[]): Finding => ({
  state: "problem",
  text,
  hints,
});

/** It was not looked at. */
export const unknown = (text: string, ...hints: string[]): Finding => ({
  state: "unknown",
  text,
  hints,
});

const usualPatience = 30_000;

/** What is given to a check that does not end by itself, beyond its time. */
const grace = 5_000;

/** Who follows the checks. */
export interface Follower {
  /** A check begins. */
  begins?: (name: string) => void;
  /** It has ended. */
  told: (result: Result) => void;
}

/**
 * Makes the checks in their order. One that fails does not stop the others;
 * one that needs it is not made, and says so.
 *
 * @throws {SyncError} `interrupted`, where a person ends it.
 */
export async function makeChecks(
  checks: readonly Check[],
  context: Context,
  { begins, told }: Follower,
): Promise<Result[]> {
  const results = new Map<string, Result>();
  for (const check of checks) {
    begins?.(check.name);
    const finding = await findingOf(check, context, results);
    const result = { name: check.name, exit: check.exit, ...finding };
    results.set(check.name, result);
    told(result);
  }
  return [...results.values()];
}

async function findingOf(
  check: Check,
  context: Context,
  results: ReadonlyMap<string, Result>,
): Promise<Finding> {
  const missing = check.needs?.find((name) => {
    const state = results.get(name)?.state;
    return state !== "ok" && state !== "warning";
  });
  if (missing !== undefined) {
    return unknown(`not checked, because ${missing} is not ok`);
  }
  const { config } = context;
  const secret = config && Deno.uid() !== 0 && check.root?.(config);
  if (secret) {
    return unknown(
      `not checked: only root can read ${secret}`,
      "run sudo gitops-sync doctor",
    );
  }
  return await bounded(check, context);
}

/** Makes a check that ends in time, whatever it waits for. */
async function bounded(check: Check, context: Context): Promise<Finding> {
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
    // What a run would tell belongs to the answer here.
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

/** What a stage of a run would end with, as a finding. */
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

/**
 * The exit code for all results: that of the first that is not well. A warning
 * is well.
 */
export function exitOf(results: readonly Result[]): ExitCode {
  const first = results.find(({ state }) => state === "problem") ??
    results.find(({ state }) => state === "unknown");
  return first?.exit ?? exitCodes.ok;
}
