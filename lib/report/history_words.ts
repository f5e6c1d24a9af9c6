/**
 * Attempts of the history in words.
 *
 * @module
 */
import { formatDuration } from "../base/duration.ts";
import { exitCodes } from "../base/errors.ts";
import { oneLine } from "../base/text.ts";
import type { HistoryEntry } from "../state/state.ts";
import { timeOf } from "./times.ts";

/** `deployed`, or `failed at build: builder-failed (6)`. */
export function resultText(entry: HistoryEntry): string {
  const by = entry.by ? ` by ${oneLine(entry.by, 40)}` : "";
  if (entry.exit === exitCodes.ok || !entry.stage) {
    return `${entry.result}${by}`;
  }
  return `${entry.result} at ${entry.stage}: ${entry.reason} (${entry.exit})`;
}

/** `unreachable until 16:20:03, 9 tries`. */
export function spellText(
  { at, ms, reason = "unreached", tries = 1 }: HistoryEntry,
): string {
  const end = timeOf(new Date(Date.parse(at) + ms).toISOString());
  const isSameDay = end.slice(0, 10) === timeOf(at).slice(0, 10);
  const until = tries > 1 ? ` until ${isSameDay ? end.slice(11) : end}` : "";
  return `${reason}${until}, ${tries === 1 ? "1 try" : `${tries} tries`}`;
}

/** An attempt; it has an entry in the history after it has ended. */
export interface NamedAttempt {
  id: string;
  revision: string | undefined;
  entry?: HistoryEntry;
}

/** Returns what is known of an attempt, by label, without its stages. */
export function attemptRows(
  { id, revision, entry }: NamedAttempt,
): [label: string, text: string][] {
  const rows: [string, string | undefined][] = [
    ["attempt", id],
    ["command", entry?.command],
    ["revision", entry?.revision ?? revision],
    ["subject", entry?.subject],
    ["author", entry?.author],
    [
      "signed by",
      entry?.signers?.map(({ kind, name, key }) => `${name} (${kind} ${key})`)
        .join(", "),
    ],
    ["began", entry && timeOf(entry.at)],
    ["took", entry && formatDuration(entry.ms)],
    ["result", entry ? endText(entry) : "in progress, or interrupted"],
    ["by", entry?.by],
    ["reason", entry?.why],
    ["why", entry?.message],
    ["system", entry?.system],
  ];
  return rows.flatMap(([label, text]) => text ? [[label, text]] : []);
}

function endText({ result, stage, reason, exit }: HistoryEntry): string {
  return stage
    ? `${result} at ${stage}: ${reason} (exit code ${exit})`
    : `${result} (exit code ${exit})`;
}
