/**
 * Prints the JSON of `--json`: all documents use this file. docs/json.md and
 * docs/json.schema.json document their shapes; a change that breaks a reader
 * increments {@linkcode jsonVersion}.
 *
 * @module
 */
import { type ExitCode, SyncError } from "../../base/errors.ts";
import { escaped } from "../../base/text.ts";
import { utc } from "../../base/time.ts";
import { printRaw } from "./print.ts";

/** The version of all shapes. */
export const jsonVersion = 2;

/** The keys whose value is a point in time. */
const timeKeys = [
  "at",
  "checkedAt",
  "committedAt",
  "notBefore",
  "opening",
  "since",
  "startedAt",
  "until",
];

/** Prints the result of a command as one JSON document. */
export function printJson(
  command: string,
  exit: ExitCode,
  result: Readonly<Record<string, unknown>>,
): void {
  printRaw(documentText(command, exit, result));
}

/** Returns the text of such a document. */
export function documentText(
  command: string,
  exit: ExitCode,
  result: Readonly<Record<string, unknown>>,
): string {
  const document = { version: jsonVersion, command, exit, ...result };
  return escaped(JSON.stringify(document, withTime, 2));
}

/**
 * Returns times in RFC 3339, in UTC and whole seconds, whatever their stored
 * format is; a value that is not a point in time is `null`.
 */
function withTime(key: string, value: unknown): unknown {
  const isTime = typeof value === "string" && timeKeys.includes(key);
  return isTime ? utc(value) ?? null : value;
}

/** Returns an error as JSON. */
export function errorJson(error: unknown): Record<string, unknown> {
  if (error instanceof SyncError) {
    const { stage, reason, message, hints, details, next, problems } = error;
    const more = problems.length > 0 ? { problems } : {};
    return { stage, reason, message, hints, details, next, ...more };
  }
  return {
    stage: null,
    reason: "bug",
    message: (error as Error)?.message ?? String(error),
    hints: [],
    details: [],
    next: null,
  };
}
