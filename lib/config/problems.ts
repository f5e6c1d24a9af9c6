/**
 * Explains the problems of a configuration: line, key, what was expected, and
 * the nearest known key. Loaded only if there is a problem.
 *
 * @module
 */
import {
  configError,
  type ConfigProblem,
  type SyncError,
} from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import { count, oneLine } from "../base/text.ts";
import { flagOf, flagOptions, optionNames } from "./schema.ts";
import type { Given, Problem } from "./given.ts";
import { hintFor } from "./typed_words.ts";

/**
 * Returns one error for all problems of a configuration.
 *
 * @param path The file that was read, if any.
 */
export function explain(
  problems: readonly Problem[],
  path: string | undefined,
): SyncError {
  const found = problems.map((problem) => placed(problem, path));
  const lines = found.map(told);
  const hints = problems.flatMap(hintsFor);
  const [first, ...rest] = lines;
  const message = rest.length === 0
    ? first!
    : [`${count(lines.length, "problem")} in the configuration:`, ...lines]
      .join("\n  ");
  return configError("config-wrong", message, found, [...new Set(hints)]);
}

/** Returns a problem with its place. */
function placed(problem: Problem, path: string | undefined): ConfigProblem {
  const message = sentence(problem, path);
  if (problem.kind === "missing") {
    return { file: path ?? null, line: null, key: problem.name, message };
  }
  const { key, from } = problem.given;
  return "flag" in from
    ? { file: null, line: null, key: from.flag, message }
    : { file: from.path, line: lineOf(from.text, key), key, message };
}

/** Puts `FILE:LINE: ` before a message, as compilers do. */
function told({ file, line, message }: ConfigProblem): string {
  return line === null ? message : `${file}:${line}: ${message}`;
}

function sentence(problem: Problem, path: string | undefined): string {
  if (problem.kind === "missing") {
    const where = path === undefined ? "the flags" : path;
    return `Cannot go on without ${problem.name}: it is missing in ${where}`;
  }
  const { given } = problem;
  const key = "flag" in given.from ? given.from.flag : given.key;
  switch (problem.kind) {
    case "unknown":
      return `Cannot use ${key}: there is no such option`;
    case "password":
      return `Cannot use ${key}: the URL contains a password, which every process list would show`;
    case "useless":
      return `Cannot use ${key} without verify.mode: the mode is none, so no signature is checked`;
    case "keyless":
      return `Cannot use ${key} without trusted keys: no option names any`;
    case "forgeless":
      return `Cannot use ${key} without a forge: gates.forge and commitStatus.forge are none`;
    case "open":
      return `Cannot use ${key} with a token over http://: anybody on the network path could read the token`;
    case "user":
      return `Cannot use ${key}: the URL contains a user name, which may be a token that every process list would show`;
    case "value":
      return `Cannot use ${
        mayHoldToken(given.key) ? "this value" : shown(given.value)
      } for ${key}: expected ${problem.expected}`;
  }
}

function hintsFor(problem: Problem): string[] {
  switch (problem.kind) {
    case "missing":
      return [
        `write "${problem.name}: …" in the file, or add --${
          flagOf(problem.name)
        } on the command line`,
      ];
    case "password":
      return [
        "put the token into a file, and set tokenFile to its path (and username to the user)",
      ];
    case "user":
      return [
        "set username to the user name; if it is a token, put it into a file and set tokenFile to its path",
      ];
    case "open":
      return [
        "write https:// instead of http://, or remove tokenFile; a token over http:// is only for this machine (localhost, 127.0.0.1, [::1])",
      ];
    case "unknown":
      return [unknownHint(problem.given)];
    case "useless":
      return [
        "set verify.mode to head, range, tag or tag-and-head, or remove the other verify options",
      ];
    case "keyless":
      return [
        "set verify.allowedSigners, verify.openpgpKeys or verify.keysFrom",
      ];
    case "forgeless":
      return ["name the forge with gates.forge, e.g. gates.forge: github"];
    case "value":
      return [];
  }
}

function unknownHint({ key, from }: Given): string {
  const isFlag = "flag" in from;
  const groups = optionNames.flatMap((name) =>
    name.includes(".") ? [name.slice(0, name.indexOf("."))] : []
  );
  const near = isFlag
    ? nearest(from.flag, flagOptions.map((name) => `--${flagOf(name)}`))
    : nearest(key, [...optionNames, ...groups]);
  return hintFor(isFlag ? from.flag : key) ??
    (near
      ? `did you mean ${near}?`
      : "run man gitops-sync.yaml for the list of options");
}

/** Whether a value may contain a token, which must not get into the journal. */
function mayHoldToken(key: string): boolean {
  return key === "mirrors" || key === "gates.prometheus" ||
    /^(notify|commitStatus)\..*url/i.test(key);
}

/** Formats a value for a message; it must not be a secret. */
function shown(value: unknown): string {
  if (typeof value === "string") return oneLine(`"${value}"`, 80);
  try {
    return oneLine(JSON.stringify(value) ?? "nothing", 80);
  } catch {
    // YAML's anchors can make a value a part of itself.
    return "this value";
  }
}

/**
 * Returns the line, from 1, of a dotted key in YAML or JSON text. Each level is
 * searched below the previous one. Returns 1 if it is not found.
 */
export function lineOf(text: string, key: string): number {
  const lines = text.split("\n");
  const find = (part: string, from: number) => {
    const quoted = part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    const pattern = new RegExp(`(^|[\\s{,\\ufeff])["']?${quoted}["']?\\s*:`);
    return lines.findIndex((line, i) =>
      i >= from && pattern.test(line.replace(/(^|\s)#.*$/, ""))
    );
  };
  // A dotted key may also be written in one piece.
  const whole = find(key, 0);
  if (whole !== -1) return whole + 1;
  let at = 0;
  for (const part of key.split(".")) {
    const found = find(part, at);
    if (found === -1) return at + 1;
    at = found;
  }
  return at + 1;
}
