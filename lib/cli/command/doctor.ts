/**
 * `gitops-sync doctor`: checks whether a sync can work on this host, and prints
 * how to fix the problems.
 *
 * @module
 */
import { SyncError } from "../../base/errors.ts";
import type { ExitCode } from "../../base/errors.ts";
import { redact, shown } from "../../base/redact.ts";
import { count, oneLine } from "../../base/text.ts";
import type { Config } from "../../config/schema.ts";
import {
  type Check,
  type CheckState,
  exitOf,
  failureOf,
  type Follower,
  type Known,
  type Result,
  runChecks,
} from "../../doctor/check.ts";
import { checks } from "../../doctor/checks.ts";
import { removeScratch } from "../../doctor/repository_checks.ts";
import { loadConfigOf } from "../config.ts";
import { hostPart } from "../../report/host_facts.ts";
import { inks } from "../../report/row.ts";
import { columnsOf, ink, wrapped } from "../output/ink.ts";
import { realEffects } from "../output/effects.ts";
import { printJson } from "../output/json.ts";
import { print, printColoured, writeTo } from "../output/print.ts";
import type { Call } from "../call.ts";

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  using effects = await realEffects(call.verbose);
  const { config, error } = await configurationOf(call);
  const known: Known = {};
  const all = error ? checks.map((one) => withError(one, error)) : checks;
  const follower = call.json ? { told: () => {} } : makeFollower();
  let results: Result[];
  try {
    const context = { effects, known, ...config ? { config } : {} };
    results = await runChecks(all, context, follower);
  } finally {
    if (config && known.run) await removeScratch(config);
    known.lock?.[Symbol.dispose]();
  }
  const exit = exitOf(results);
  if (call.json) {
    printJson("doctor", exit, { ...await hostPart(config), ...json(results) });
  }
  if (!call.json) print(summary(results));
  return exit;
}

/**
 * Returns a follower that prints a line for each check; on a terminal it also
 * shows the name of the current check.
 */
function makeFollower(): Follower {
  const told = (result: Result) => printColoured(lines(result));
  if (!Deno.stdout.isTerminal()) return { told };
  const draw = (text: string) =>
    writeTo(Deno.stdout, `\r\x1b[K${text}`, redact);
  return {
    begins: (name) => draw(`… ${name}`),
    told: (result) => {
      draw("");
      told(result);
    },
  };
}

/** Loads the configuration. Its error becomes the finding of one check. */
async function configurationOf(
  call: Call,
): Promise<{ config?: Config; error?: SyncError }> {
  try {
    return { config: await loadConfigOf(call) };
  } catch (error) {
    if (error instanceof SyncError) return { error };
    throw error;
  }
}

function withError(check: Check, error: SyncError): Check {
  return check.name === "configuration"
    ? { ...check, look: () => failureOf(error) }
    : check;
}

const marks: Readonly<Record<CheckState, [mark: string, code: string]>> = {
  ok: ["✓", inks.good],
  warning: ["!", inks.warning],
  problem: ["✗", inks.bad],
  unknown: ["?", inks.warning],
};

const nameWidth = 14;

function lines(
  { name, state, text, hints = [], details = [] }: Result,
): string {
  const [mark, code] = marks[state];
  const gap = " ".repeat(nameWidth + 3);
  const room = (columnsOf(Deno.stdout) ?? Infinity) - gap.length;
  const fitted = (some: string, code?: string, first = "") =>
    some.split("\n").flatMap((line) =>
      wrapped(first + shown(line), room, " ".repeat(first.length))
    ).map((line, i) =>
      i === 0 && first !== ""
        ? `${gap}${ink(inks.bold, first)}${line.slice(first.length)}`
        : `${gap}${code === undefined ? line : ink(code, line)}`
    );
  const body = [
    ...fitted(text),
    ...details.slice(0, 6).flatMap((line) =>
      fitted(oneLine(line, 300), inks.dim)
    ),
    ...(state === "ok" ? [] : hints).flatMap((hint) =>
      fitted(hint, undefined, "fix: ")
    ),
  ].join("\n");
  return `${ink(code, mark)} ${name.padEnd(nameWidth)} ${
    body.slice(gap.length)
  }`;
}

function summary(results: readonly Result[]): string {
  const number = (state: CheckState) =>
    results.filter((result) => result.state === state).length;
  const parts = [
    [number("problem"), "problem"],
    [number("unknown"), "not checked"],
    [number("warning"), "warning"],
  ] as const;
  const told = parts.filter(([n]) => n > 0).map(([n, what]) =>
    what === "not checked" ? `${n} ${what}` : count(n, what)
  );
  if (told.length === 0) return "\nNo problems: a sync can work on this host";
  const head = number("problem") + number("unknown") === 0
    ? "A sync can work on this host"
    : number("problem") > 0
    ? "A sync cannot work on this host"
    : "It is unknown whether a sync can work on this host";
  return `\n${head}: ${told.join(", ")}`;
}

function json(results: readonly Result[]): Record<string, unknown> {
  const isWell = results.every(({ state }) =>
    state === "ok" || state === "warning"
  );
  return {
    result: isWell ? "well" : "unwell",
    checks: results.map(({ name, state, text, hints = [], details = [] }) => ({
      name,
      state,
      text,
      hints: state === "ok" ? [] : hints,
      details,
    })),
  };
}
