/**
 * Reads the duration that a flag names.
 *
 * @module
 */
import { parseDuration } from "../base/duration.ts";
import { usageError } from "../base/errors.ts";
import { oneLine } from "../base/text.ts";
import type { Call } from "./call.ts";

/** The longest duration; a date cannot be computed for much more. */
const maxSpan = 1000 * 365 * 24 * 3_600_000;

/**
 * Returns the duration of `--for` or another flag.
 *
 * @returns milliseconds; `undefined` if the flag was not given.
 * @throws {SyncError} `flag-value`, exit 2.
 */
export function spanOf(
  { texts, command }: Call,
  flag: "for" | "wait" | "within" = "for",
): number | undefined {
  const text = texts[flag];
  if (text === undefined) return undefined;
  const span = parseDuration(text);
  if (span !== undefined && span > 0 && span <= maxSpan) return span;
  throw usageError(
    "flag-value",
    `Cannot use "${
      oneLine(text, 80)
    }" for --${flag}: expected a duration such as 2h`,
    command.flags.find(({ name }) => name === flag)!.text,
  );
}
