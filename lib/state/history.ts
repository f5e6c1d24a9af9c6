/**
 * One line an attempt, in `history.jsonl` of the state folder.
 *
 * @module
 */
import type { ExitCode, Stage } from "../base/errors.ts";
import type { Result, Signer } from "./state.ts";
import { appendDurably, readIfThere, writeWhole } from "../host/files.ts";
import {
  areSigners,
  isNumber,
  isText,
  isTime,
  listOf,
  object,
  optional,
} from "./shape.ts";

/** How long one stage of an attempt took. */
export interface StageTime {
  stage: Stage;
  /** Milliseconds. */
  ms: number;
}

/** One attempt, as it ended. */
export interface HistoryEntry {
  version: 1;
  id: string;
  command: "sync" | "rollback" | "accept";
  /** When it began, ISO 8601. */
  at: string;
  /** Milliseconds from its beginning to its end. */
  ms: number;
  result: Result;
  exit: ExitCode;
  revision?: string;
  subject?: string;
  author?: string;
  /** Who signed it, where signatures were checked. */
  signers?: readonly Signer[];
  /** The store path, once it was built. */
  system?: string;
  stages: readonly StageTime[];
  /** Where and why it failed. */
  stage?: Stage;
  reason?: string;
  message?: string;
}

const mostBytes = 1024 * 1024;
const maybe = optional(isText);
const pathIn = (folder: string) => `${folder}/history.jsonl`;

/**
 * Adds an attempt; the oldest half goes when the file has grown too long.
 *
 * @throws {SyncError} as {@linkcode writeWhole}.
 */
export async function appendHistory(
  folder: string,
  entry: HistoryEntry,
): Promise<void> {
  const text = readIfThere(pathIn(folder)) ?? "";
  // A power cut can leave half a line; the new one must not grow onto it.
  const gap = text === "" || text.endsWith("\n") ? "" : "\n";
  const line = `${JSON.stringify(entry)}\n`;
  if (text.length + line.length <= mostBytes) {
    return await appendDurably(pathIn(folder), gap + line);
  }
  const half = text.slice(text.indexOf("\n", text.length / 2) + 1);
  await writeWhole(pathIn(folder), half + gap + line);
}

/**
 * All attempts, oldest first. Lines that are not whole are passed over. An
 * attempt stands twice where a run was cut off while it wrote how it ended: the
 * later line counts.
 */
export function readHistory(folder: string): HistoryEntry[] {
  const entries = new Map<string, HistoryEntry>();
  for (const line of (readIfThere(pathIn(folder)) ?? "").split("\n")) {
    const entry = parseEntry(line);
    if (entry) entries.set(entry.id, entry);
  }
  return [...entries.values()];
}

/** What is told of an attempt; a line without it is worth nothing. */
const shape = object({
  id: isText,
  at: isTime,
  ms: isNumber,
  result: isText,
  exit: isNumber,
  revision: maybe,
  subject: maybe,
  author: maybe,
  signers: areSigners,
  stages: listOf(object({ stage: isText, ms: isNumber })),
  stage: maybe,
  reason: maybe,
  message: maybe,
});

function parseEntry(line: string): HistoryEntry | undefined {
  try {
    const entry = JSON.parse(line);
    return shape(entry) && hasEnd(entry) ? entry : undefined;
  } catch {
    return undefined;
  }
}

/** Whether its end is a point in time that has a name. */
function hasEnd({ at, ms }: HistoryEntry): boolean {
  return !Number.isNaN(new Date(Date.parse(at) + ms).getTime());
}
