/**
 * The JSON that `--json` writes. Its shapes are documented in docs/json.md;
 * a change that breaks a reader raises {@linkcode jsonVersion}.
 *
 * @module
 */
import { type ExitCode, SyncError } from "../../base/errors.ts";
import { escaped } from "../../base/text.ts";
import { print } from "./print.ts";

/** The version of all shapes. */
export const jsonVersion = 1;

/** Writes the result of a command as one JSON document. */
export function printJson(
  command: string,
  exit: ExitCode,
  result: Readonly<Record<string, unknown>>,
): void {
  const document = { version: jsonVersion, command, exit, ...result };
  print(escaped(JSON.stringify(document, null, 2)));
}

/** An error as JSON. */
export function errorJson(error: unknown): Record<string, unknown> {
  if (error instanceof SyncError) {
    const { stage, reason, message, hints, details, next } = error;
    return { stage, reason, message, hints, details, next };
  }
  return { reason: "bug", message: (error as Error)?.message ?? String(error) };
}
