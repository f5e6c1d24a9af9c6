/**
 * Describes why a build failed. Pure.
 *
 * @module
 */
import { count, oneLine, safeLines } from "../base/text.ts";
import { bounded, storeName, withoutSourcePaths } from "./log_entry.ts";
import { memory } from "./builder.ts";
import { judge } from "./judge.ts";
import {
  type BuildReason,
  type Evidence,
  isTransient,
  type Judged,
  logLines,
  rank,
} from "./reasons.ts";

const detailLines = 20;
const summaryLength = 200;

/** A failed build in words. All text is safe for a terminal. */
export interface BuildFailure {
  reason: BuildReason;
  /**
   * Whether the same revision may build later, because the failure is not
   * certainly its fault. See `reasons.ts` for the rule.
   */
  transient: boolean;
  /** One line of at most 200 characters, e.g. `web-app-1.2.3 failed to build`. */
  summary: string;
  /**
   * The end of the build log below the path of its derivation, or the error
   * with its position.
   */
  details: string[];
  /** The derivations that failed and have a log, by their paths. */
  logs?: string[];
}

/** Returns why a build failed, by its evidence. */
export function explain(evidence: Evidence): BuildFailure {
  const found = evidence.errors.map((error) => judge(error, evidence))
    .filter((one) => one !== undefined);
  found.sort((a, b) => rank(a) - rank(b));
  const worst = found[0];
  if (worst === undefined) return silent(evidence);
  return worst.drv === undefined
    ? told(worst)
    : derivations(worst, found, evidence);
}

/** Returns the failure as an error of the flake's own code, once Nix confirms. */
export function asEvaluation(failure: BuildFailure): BuildFailure {
  const reason = "evaluation-error";
  const whole = `${beginnings[reason]}${failure.summary}`;
  const isCut = whole.length > summaryLength && !failure.summary.endsWith("…");
  return {
    ...failure,
    reason,
    transient: isTransient(reason),
    summary: oneLine(whole, summaryLength),
    details: isCut ? [failure.summary, ...failure.details] : failure.details,
  };
}

function silent({ errors, plain }: Evidence): BuildFailure {
  const error = errors.at(-1);
  if (error) return told({ reason: "unknown", error });
  const lines = plain.slice(-logLines);
  const usage = lines.map((line) => usageError.exec(line))
    .findLast((match) => match)?.[1];
  return {
    reason: lines.some((line) => memory.test(line))
      ? "out-of-memory"
      : "unknown",
    transient: true,
    summary: usage === undefined ? "Nix failed without an error" : oneLine(
      `nixos-rebuild does not accept its arguments (build.options): ${usage}`,
      summaryLength,
    ),
    details: lines,
  };
}

/**
 * The words of nixos-rebuild-ng (argparse), and of nixos-rebuild in Bash, which
 * writes its whole path.
 */
const usageError =
  /^(?:nixos-rebuild: error: |(?:\S*\/)?nixos-rebuild: (?=unknown option|.* requires ))(.+)/;

/** Names the derivations that failed for the worst reason, with their logs. */
function derivations(
  worst: Judged,
  found: Judged[],
  { logOf }: Evidence,
): BuildFailure {
  const same = found.filter((one) => one.reason === worst.reason && one.drv);
  const names = [...new Set(same.map((one) => storeName(one.drv!)))];
  const logs = new Set<string>();
  const details = same.slice(0, 3).flatMap(({ drv, reason, error }) => {
    const lines = logOf(drv!)?.lines ?? [];
    if (lines.length > 0) logs.add(drv!);
    const shown = lines.length > 0 && reason !== "hash-mismatch"
      ? lines
      : afterFirst(error.text);
    return [`${drv}:`, ...shown.map((line) => `  ${line}`)];
  });
  const shownNames = names.slice(0, 3).join(", ") +
    (names.length > 3 ? ` and ${names.length - 3} more` : "");
  return {
    reason: worst.reason,
    transient: isTransient(worst.reason),
    summary: oneLine(
      `${shownNames} ${endings[worst.reason] ?? endings["builder-failed"]}${
        names.length === 1 ? exitOf(worst.error.text) : ""
      }`,
      summaryLength,
    ),
    details,
    ...logs.size > 0 ? { logs: [...logs] } : {},
  };
}

/** The rest of the sentence that begins with the name of a derivation. */
const endings: Partial<Record<BuildReason, string>> = {
  "builder-failed": "failed to build",
  "hash-mismatch": "does not match its hash",
  "disk-full": "failed to build: no space left on device",
  "out-of-memory": "failed to build: it was killed, or memory ran out",
  "builder-killed": "failed to build: something stopped it",
  "builder-timed-out": "failed to build",
  "download-failed": "could not be downloaded",
  "network": "could not be downloaded",
  "no-builder": "cannot be built here, nor by a remote builder",
  "unknown": "could not be built",
};

const beginnings: Partial<Record<BuildReason, string>> = {
  "evaluation-error": "evaluation failed: ",
  "disk-full": "no space left: ",
  "network": "cannot download: ",
  "slow-down": "the server limits requests: ",
  "input-denied": "access to an input was denied: ",
  "input-unavailable": "an input is not available: ",
  "hash-mismatch": "a download does not match its hash: ",
  "no-builder": "no machine may build this: ",
};

/** Describes a failure by Nix's own message. */
function told({ reason, error, context }: Judged): BuildFailure {
  const { summary, rest } = headed(reason, withoutSourcePaths(error.text));
  const details = rest.slice(0, detailLines);
  if (rest.length > detailLines) {
    details.push(`(${count(rest.length - detailLines, "more line")})`);
  }
  if (error.position !== "") details.push(`at ${error.position}`);
  if (error.suggestion !== "") details.push(error.suggestion);
  return {
    reason,
    transient: isTransient(reason),
    summary,
    details: [...details, ...context ?? []].map((line) => bounded(line)),
  };
}

/**
 * Splits Nix's message into the summary and the lines that it does not show, so
 * that nothing is printed twice. A first line that is too long is cut in the
 * summary, and is whole in the other lines.
 */
function headed(
  reason: BuildReason,
  text: string,
): { summary: string; rest: string[] } {
  const lines = text.split("\n");
  const own = ownWords(reason, text);
  if (own !== undefined) {
    return { summary: oneLine(own, summaryLength), rest: lines };
  }
  const start = beginnings[reason] ?? "";
  const whole = oneLine(`${start}${text}`, Infinity);
  if (whole.length <= summaryLength) return { summary: whole, rest: [] };
  for (let shown = lines.length - 1; shown > 0; shown--) {
    const part = `${start}${lines.slice(0, shown).join(" ")} …`;
    const summary = oneLine(part, Infinity);
    if (summary.length <= summaryLength) {
      return { summary, rest: lines.slice(shown) };
    }
  }
  return { summary: oneLine(whole, summaryLength), rest: lines };
}

/** Returns the summary of a failure for which Nix's own words are unclear. */
function ownWords(reason: BuildReason, text: string): string | undefined {
  switch (reason) {
    case "host-missing": {
      const host = /nixosConfigurations\."?([^".' ]+)/.exec(text)?.[1];
      return `the flake has no nixosConfigurations.${
        host ?? "HOST"
      } with a config.system.build.toplevel`;
    }
    case "flake-missing":
      return "there is no flake.nix";
    case "lock-outdated":
      return "flake.lock is missing or does not match flake.nix";
    default:
      return undefined;
  }
}

/** `(exit code 1)`, as part of a sentence. */
function exitOf(text: string): string {
  const code = /failed with exit code (\d+)/.exec(text)?.[1];
  if (code !== undefined && code !== "1") return ` (exit code ${code})`;
  const late = /timed out after [^\n]*/.exec(text)?.[0];
  return late === undefined ? "" : ` (${late})`;
}

function afterFirst(text: string): string[] {
  return safeLines(text).slice(1, 1 + logLines).map((line) => line.trim());
}
