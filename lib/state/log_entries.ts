/**
 * The entries of an attempt's log, and its place.
 *
 * Each attempt has its own folder below the state folder, with up to three
 * files of JSON lines: one for the beginning, and two for the end. The older of
 * these two is removed when the newer one is full.
 *
 * @module
 */
import type { Level, Progress } from "../base/effects.ts";
import type { Stage } from "../base/errors.ts";

/** One line of the log, as stored. */
export type LogEntry =
  & {
    /** Milliseconds since 1970. */
    at: number;
  }
  & (
    /** The attempt begins, or a later run continues it. */
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
    /** How many bytes are missing here. */
    | { kind: "omitted"; bytes: number }
    | { kind: "end"; result: string; exit: number; text: string }
  );

/** The parts of a log in their order. */
export const logParts = ["head", "middle", "tail"] as const;
export type LogPart = typeof logParts[number];

/** An entry without its time. */
export type Untimed = LogEntry extends infer E
  ? E extends { at: number } ? Omit<E, "at"> : never
  : never;

/** The progress of the current stage, in its own file while the stage lasts. */
export const liveFile = "live.json";
export type Live = Progress & { stage: Stage };

/** Returns the folder of the logs. */
export function logsIn(folder: string): string {
  return `${folder}/attempts`;
}

/** Returns the folder of an attempt's log. */
export function logFolder(folder: string, id: string): string {
  return `${logsIn(folder)}/${id}`;
}

/** Whether a name is an attempt's id, and so a folder of this program. */
export function isAttemptId(name: string): boolean {
  return /^\d{8}-\d{6}-[0-9a-f]{4}$/.test(name);
}

/** Returns the attempts that have a log, oldest first. */
export function loggedAttempts(folder: string): string[] {
  try {
    return [...Deno.readDirSync(logsIn(folder))].map(({ name }) => name)
      .filter(isAttemptId).sort();
  } catch {
    return [];
  }
}

/**
 * Reads one line; returns `undefined` if it is incomplete or not of this
 * program.
 */
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

/** The fields of each kind of line. */
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
