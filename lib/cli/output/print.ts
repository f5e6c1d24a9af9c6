/**
 * Prints results to standard output. Everything else is an event.
 *
 * @module
 */
import type { Event } from "../../base/effects.ts";
import { SyncError, usageError } from "../../base/errors.ts";
import { redact, shown } from "../../base/redact.ts";
import { holdHints } from "../../run/holding.ts";
import { columnsOf, fitted } from "./ink.ts";

/** The first error of {@linkcode print}: the result could not be written. */
let unprinted: Error | undefined;

/**
 * Prints text and a line end to standard output. For a terminal, sentences are
 * wrapped; lines that begin with a space are commands or columns. An error does
 * not end the command; {@linkcode printProblem} returns it later.
 */
export function print(text: string): void {
  printRaw(fitted(text, columnsOf(Deno.stdout)));
}

/** Prints tables, documents and logs: no line is wrapped. */
export function printRaw(text: string): void {
  unprinted ??= writeTo(Deno.stdout, `${text}\n`);
}

/**
 * Prints text with our own colours. Text from outside must have passed through
 * `shown` before.
 */
export function printColoured(text: string): void {
  unprinted ??= writeTo(Deno.stdout, `${text}\n`, redact);
}

/** Returns why the result could not be written, as an error with exit 2. */
export function printProblem(): SyncError | undefined {
  if (!unprinted) return undefined;
  return usageError(
    "output-failed",
    `Cannot write the result to standard output: ${unprinted.message}`,
    "Check where the output goes: the disk may be full, or the terminal closed. Run `gitops-sync status` to see the state of the host.",
  );
}

/**
 * Writes all of a text. It never throws: a closed terminal or a full disk must
 * not change what happens to the host.
 *
 * @param clean Removes secrets, and control characters for terminals.
 * @returns why it could not write; `undefined` if the reader has closed the
 * pipe, which is no error.
 */
export function writeTo(
  stream: { writeSync(bytes: Uint8Array): number },
  text: string,
  clean: (text: string) => string = shown,
): Error | undefined {
  let rest = new TextEncoder().encode(clean(text));
  try {
    while (rest.length > 0) rest = rest.subarray(stream.writeSync(rest));
    return undefined;
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) return undefined;
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Returns an error as an event: the message, details and hints. */
export function errorEvent(error: unknown): Event {
  if (error instanceof SyncError) {
    const { message: text, details, next } = error;
    const hints = next === "hold"
      ? [...error.hints, ...holdHints(error)]
      : error.hints;
    return { kind: "message", level: "error", text, details, hints };
  }
  const stack = error instanceof Error
    ? error.stack ?? error.message
    : String(error);
  return {
    kind: "message",
    level: "error",
    text: "This is a bug in gitops-sync",
    details: stack.split("\n"),
    hints: [
      "Run `gitops-sync status` to see the state of the host.",
      "Report this bug with the lines above.",
    ],
  };
}
