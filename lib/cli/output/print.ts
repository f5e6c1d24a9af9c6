/**
 * What every command writes: results to standard output, all else as events.
 *
 * @module
 */
import type { Event } from "../../base/effects.ts";
import { SyncError } from "../../base/errors.ts";
import { shown } from "../../base/redact.ts";

/** What ends a hold. */
export const holdHint =
  "a new commit is picked up by itself; gitops-sync retry tries the same one again";

/** What ends drift that is only told. */
export const correctHint =
  "gitops-sync sync --drift correct activates what was deployed again";

/** Writes text and a line end to standard output. */
export function print(text: string): void {
  writeTo(Deno.stdout, `${text}\n`);
}

/**
 * Writes all of a text; a reader that has gone away is no error.
 *
 * @param clean Takes out what nobody may read and no terminal should obey.
 */
export function writeTo(
  stream: { writeSync(bytes: Uint8Array): number },
  text: string,
  clean: (text: string) => string = shown,
): void {
  let rest = new TextEncoder().encode(clean(text));
  try {
    while (rest.length > 0) rest = rest.subarray(stream.writeSync(rest));
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

/** An error as it is told: what, evidence, what to do. */
export function errorEvent(error: unknown): Event {
  if (error instanceof SyncError) {
    const { message: text, details, next } = error;
    const hints = next === "hold" ? [...error.hints, holdHint] : error.hints;
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
      "the host is as status says: gitops-sync status",
      "please report it with the lines above",
    ],
  };
}
