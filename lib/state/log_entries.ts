/**
 * What the log of an attempt is made of, and where it is.
 *
 * Each attempt has a folder of its own below the state folder, with up to three
 * files of JSON lines: its beginning, and two for its end, of which the older
 * one goes when the newer one is full.
 *
 * @module
 */
import type { Level, Progress } from "../base/effects.ts";
import type { Stage } from "../base/errors.ts";

/** One line of the log, as it is kept. */
export type LogEntry =
  & {
    /** Milliseconds since 1970. */
    at: number;
  }
  & (
    /** The attempt begins, or a later run goes on with it. */
    | { kind: "attempt"; id: string; revision: string }
    | { kind: "start"; stage: Stage }
    | { kind: "done"; stage: Stage; text: string; ms: number }
    | { kind: "failed"; stage: Stage; ms: number }
    | {
      kind: "message";
      level: Level;
      text: string;
      details?: readonly string[];
      hints?: readonly string[];
    }
    | { kind: "line"; stage: Stage; text: string }
    /** So many bytes are missing here. */
    | { kind: "omitted"; bytes: number }
    | { kind: "end"; result: string; exit: number; text: string }
  );

/** The parts of a log in their order. */
export const logParts = ["head", "middle", "tail"] as const;
export type LogPart = typeof logParts[number];

/** A line before it has its time. */
export type Untimed = LogEntry extends infer E
  ? E extends { at: number } ? Omit<E, "at"> : never
  : never;

/** How far the stage under way is, in a file of its own while it lasts. */
export const liveFile = "live.json";
export type Live = Progress & { stage: Stage };

/** Where the logs are. */
export function logsIn(folder: string): string {
  return `${folder}/attempts`;
}

/** Where the log of one attempt is. */
export function logFolder(folder: string, id: string): string {
  return `${logsIn(folder)}/${id}`;
}

/** Whether a name is that of an attempt, and so of a folder that we made. */
export function isAttemptId(name: string): boolean {
  return /^\d{8}-\d{6}-[0-9a-f]{4}$/.test(name);
}

/** The attempts that have a log, oldest first. */
export function loggedAttempts(folder: string): string[] {
  try {
    return [...Deno.readDirSync(logsIn(folder))].map(({ name }) => name)
      .filter(isAttemptId).sort();
  } catch {
    return [];
  }
}

/** Reads one line; `undefined` for what is cut off or no line of ours. */
export function parseLogEntry(line: string): LogEntry | undefined {
  try {
    const entry = JSON.parse(line);
    const shape = Object.hasOwn(shapes, entry?.kind)
      ? shapes[entry.kind as LogEntry["kind"]]
      : undefined;
    const isWhole = shape && Number.isSafeInteger(entry.at) &&
      Object.entries(shape).every(([key, type]) => typeof entry[key] === type);
    return isWhole ? entry : undefined;
  } catch {
    return undefined;
  }
}

/** What each kind of line has. */
const shapes: Readonly<
  Record<LogEntry["kind"], Readonly<Record<string, "string" | "number">>>
> = {
  attempt: { id: "string", revision: "string" },
  start: { stage: "string" },
  done: { stage: "string", text: "string", ms: "number" },
  failed: { stage: "string", ms: "number" },
  message: { level: "string", text: "string" },
  line: { stage: "string", text: "string" },
  omitted: { bytes: "number" },
  end: { result: "string", exit: "number", text: "string" },
};
