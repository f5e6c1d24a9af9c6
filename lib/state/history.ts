/**
 * The history: one line per attempt, in `history.jsonl` of the state folder.
 *
 * @module
 */
import { appendDurably, readIfThere, writeWhole } from "../host/files.ts";
import type { HistoryEntry, Result, Unreached } from "./state.ts";
import { historyEntry } from "./state_shape.ts";

const mostBytes = 1024 * 1024;
const pathIn = (folder: string) => `${folder}/history.jsonl`;

/**
 * Adds an attempt; removes the oldest half if the file is too long.
 *
 * @throws {SyncError} as {@linkcode writeWhole}.
 */
export async function appendHistory(
  folder: string,
  entry: HistoryEntry,
): Promise<void> {
  const text = readIfThere(pathIn(folder)) ?? "";
  // A power cut can leave half a line; the new line must not continue it.
  const gap = text === "" || text.endsWith("\n") ? "" : "\n";
  const line = `${JSON.stringify(entry)}\n`;
  if (text.length + line.length <= mostBytes) {
    return await appendDurably(pathIn(folder), gap + line);
  }
  const half = text.slice(text.indexOf("\n", text.length / 2) + 1);
  await writeWhole(pathIn(folder), half + gap + line);
}

/**
 * Returns all attempts, oldest first. Skips incomplete lines. An attempt has
 * two lines if a run was interrupted while it wrote the end: the later line
 * counts.
 */
export function readHistory(folder: string): HistoryEntry[] {
  const entries = new Map<string, HistoryEntry>();
  for (const line of (readIfThere(pathIn(folder)) ?? "").split("\n")) {
    const entry = parseEntry(line);
    if (entry) entries.set(entry.id, entry);
  }
  return [...entries.values()];
}

/** Returns the entry for a period in which the remote did not answer. */
export function entryOfSpell(spell: Unreached): HistoryEntry {
  const { id, since, at, tries, exit, reason, message } = spell;
  return {
    version: 1,
    id,
    command: "sync",
    at: since,
    ms: Math.max(0, Date.parse(at) - Date.parse(since)),
    result: "unreached",
    exit,
    stages: [],
    stage: "decide",
    reason,
    message,
    tries,
  };
}

function parseEntry(line: string): HistoryEntry | undefined {
  try {
    const entry = JSON.parse(line);
    return historyEntry(entry) && hasEnd(entry) ? entry : undefined;
  } catch {
    return undefined;
  }
}

/** Whether its end is a valid date. */
function hasEnd({ at, ms }: HistoryEntry): boolean {
  return !Number.isNaN(new Date(Date.parse(at) + ms).getTime());
}

/** Whether an entry of the history is an attempt to change the host. */
const areAttempts: Readonly<Record<Result, boolean>> = {
  "deployed": true,
  "corrected": true,
  "rolled-back": true,
  "built": true,
  "waiting": true,
  "gated": true,
  "tested": true,
  "test-over": true,
  "interrupted": true,
  "failed": true,
  "approved": false,
  "rejected": false,
  "accepted": false,
  "unlocked": false,
  "unreached": false,
};

/** The results of attempts to change the host. */
export const attemptResults: readonly string[] = Object.entries(areAttempts)
  .flatMap(([result, isAttempt]) => isAttempt ? [result] : []);

/**
 * Whether an entry is an attempt to change the host. A person's decision is
 * none, nor is a period in which the remote did not answer.
 */
export function isAttempt({ result }: Pick<HistoryEntry, "result">): boolean {
  // A newer program may have more results.
  return areAttempts[result] ?? true;
}
