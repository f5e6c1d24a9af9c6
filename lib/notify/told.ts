/**
 * A lasting condition (a fault, drift, a due reboot) is reported once when it
 * begins and once when it ends. This file records the reported conditions that
 * have not ended.
 *
 * @module
 */
import { digestOf } from "../base/digest.ts";
import { ensurePrivateDir, readIfThere, writeWhole } from "../host/files.ts";
import { isText, object, type Shape } from "../state/shape.ts";
import { type Notice, type NoticeParts, stampOf, timeText } from "./notice.ts";
import { notifyFolder } from "./spool.ts";

/** A lasting condition, as a run finds it. */
export interface Condition {
  /** Identifies the condition across runs. */
  key: string;
  since: Date;
  /** The event of its beginning. */
  parts: Omit<NoticeParts, "id" | "since">;
}

/** The content of `notify/told.json`. */
export interface Told {
  /** Reported beginnings, by the key of the condition. */
  open: Readonly<Record<string, Notice>>;
  /** Events that are recorded, but not in the spool yet. */
  unsent?: readonly Notice[];
  /** The last reported reboot: when it was requested. */
  reboot?: string;
  /** The last commit status. */
  status?: { revision: string; state: string; description: string };
  /** The commits that were reported as pending, without a result since. */
  pending?: readonly string[];
}

const pathIn = (folder: string) => `${notifyFolder(folder)}/told.json`;

const isNotice: Shape = object({
  id: isText,
  event: isText,
  severity: isText,
  summary: isText,
});

/**
 * Returns what was reported, or `undefined` if that is unknown. A file that
 * can't be read counts as unknown: a second report is better than none.
 */
export function readTold(folder: string): Told | undefined {
  try {
    const text = readIfThere(pathIn(folder));
    if (text === undefined) return undefined;
    const told = JSON.parse(text);
    if (typeof told?.open !== "object" || told.open === null) return undefined;
    return Object.values(told.open).every(isNotice) ? told : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Records what was reported. */
export async function writeTold(folder: string, told: Told): Promise<void> {
  await ensurePrivateDir(notifyFolder(folder));
  await writeWhole(pathIn(folder), `${JSON.stringify(told)}\n`);
}

/** The conditions that began and those that ended. */
export interface Change {
  begun: readonly Condition[];
  over: readonly [key: string, notice: Notice][];
}

/**
 * Compares what a run found with what was reported.
 *
 * @param isKnown Whether the run could check a condition. An unchecked
 * condition has not ended.
 */
export function changeOf(
  open: Told["open"],
  found: readonly Condition[],
  isKnown: (key: string) => boolean,
): Change {
  const keys = new Set(found.map(({ key }) => key));
  return {
    begun: found.filter(({ key }) => !Object.hasOwn(open, key)),
    over: Object.entries(open)
      .filter(([key]) => !keys.has(key) && isKnown(key)),
  };
}

/**
 * Returns the event of a beginning. Its id sorts by the time of the report, so
 * messages arrive in the order in which conditions were found.
 */
export async function beginningOf(
  { key, since, parts }: Condition,
  now: Date,
): Promise<NoticeParts> {
  const bytes = new TextEncoder().encode(`${key} ${since.toISOString()}`);
  const digest = (await digestOf("SHA-256", bytes)).slice(0, 8);
  return {
    ...parts,
    id: `${stampOf(now)}-${digest}`,
    since: timeText(since),
  };
}

/** Returns the event of the end of a reported condition. */
export function endOf(begun: Notice, now: Date): NoticeParts {
  const { id, event, summary, severity, revision, subject, author } = begun;
  if (event === "test") throw new Error("a test does not last");
  const dash = id.lastIndexOf("-");
  // It sorts after its beginning, even within the same second, or if the clock
  // was set back in between.
  const first = `${id.slice(0, dash)}z`;
  const own = stampOf(now);
  return {
    // It also sorts before new conditions of the same run.
    id: `${own > first ? own : first}--${id.slice(dash + 1)}-over`,
    event: "recovered",
    severity: "info",
    summary: `resolved: ${summary}`,
    about: { event, id, summary, severity },
    ...(begun.since === undefined ? {} : { since: begun.since }),
    ...(revision === undefined ? {} : { revision }),
    ...(subject === undefined ? {} : { subject }),
    ...(author === undefined ? {} : { author }),
  };
}
