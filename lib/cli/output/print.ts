/**
 * What every command writes: results to standard output, all else as events.
 *
 * @module
 */
import type { Event } from "../../base/effects.ts";
import { SyncError, usageError } from "../../base/errors.ts";
import { redact, shown } from "../../base/redact.ts";
import { holdHints } from "../../report/words.ts";
import { columnsOf, fitted } from "./ink.ts";

/** The first error of {@linkcode print}: the result did not arrive. */
let unprinted: Error | undefined;

/**
 * Writes text and a line end to standard output. A terminal gets sentences broken
 * between words; lines that begin with a blank are commands or columns. A
 * failure does not end what the command does; {@linkcode printProblem} tells it
 * afterwards.
 */
export function print(text: string): void {
  printRaw(fitted(text, columnsOf(Deno.stdout)));
}

/** The same for tables, documents and logs: each line stays a line. */
export function printRaw(text: string): void {
  unprinted ??= writeTo(Deno.stdout, `${text}\n`);
}

/**
 * The same for text with colours of ours. What in it comes from elsewhere went
 * through `shown` before.
 */
export function printColoured(text: string): void {
  unprinted ??= writeTo(Deno.stdout, `${text}\n`, redact);
}

/** Why the result did not arrive, as an error with exit 2, if it did not. */
export function printProblem(): SyncError | undefined {
  if (!unprinted) return undefined;
  return usageError(
    "output-failed",
    `Cannot write the result to standard output: ${unprinted.message}`,
    "Check where the output goes: the disk may be full, or the terminal closed. Run `gitops-sync status` to see the state of the host.",
  );
}

/**
 * Writes all of a text. It never throws: a terminal that hung up or a full disk
 * must not change what happens to the host.
 *
 * @param clean Takes out what nobody may read and no terminal should obey.
 * @returns why it could not write; nothing where the reader has gone away,
 * which is no error.
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

/** An error as it is told: what, evidence, what to do. */
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
