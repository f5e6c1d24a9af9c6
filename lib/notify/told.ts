/**
 * What lasts (a fault, drift, a reboot that is due) is told once when it
 * begins and once when it ends. Here is what was told and is not over.
 *
 * @module
 */
import { digestOf } from "../base/digest.ts";
import { ensurePrivateDir, readIfThere, writeWhole } from "../host/files.ts";
import { isText, object, type Shape } from "../state/shape.ts";
import { type Notice, type NoticeParts, stampOf, timeText } from "./notice.ts";
import { notifyFolder } from "./spool.ts";

/** Something that lasts, as a run finds it. */
export interface Condition {
  /** What makes it the same one as before. */
  key: string;
  since: Date;
  /** What is told of its beginning. */
  parts: Omit<NoticeParts, "id" | "since">;
}

/** The content of `notify/told.json`. */
export interface Told {
  /** Beginnings that were told, by the key of the condition. */
  open: Readonly<Record<string, Notice>>;
  /** Events that are written down and not in the spool yet. */
  unsent?: readonly Notice[];
  /** The reboot whose end was told last: when it was asked for. */
  reboot?: string;
  /** The commit status that was given last. */
  status?: { revision: string; state: string; description: string };
  /** The commits that the forge was told to be pending, and no end of since. */
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
 * What was told; `undefined` where nothing is known: a file that can't be read
 * counts as none, because to be told twice is better than not at all.
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

/** Writes down what was told. */
export async function writeTold(folder: string, told: Told): Promise<void> {
  await ensurePrivateDir(notifyFolder(folder));
  await writeWhole(pathIn(folder), `${JSON.stringify(told)}\n`);
}

/** What is new and what is over. */
export interface Change {
  begun: readonly Condition[];
  over: readonly [key: string, notice: Notice][];
}

/**
 * Compares what a run finds with what was told.
 *
 * @param isKnown Whether the run could look at a condition: what could not be
 * looked at is not over.
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
 * The parts of the beginning. Its id sorts by the time at which it is told, so
 * that messages arrive in the order in which things were found.
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

/** The parts of the end of what was told. */
export function endOf(begun: Notice, now: Date): NoticeParts {
  const { id, event, summary, severity, revision, subject, author } = begun;
  if (event === "test") throw new Error("a test does not last");
  const dash = id.lastIndexOf("-");
  // It sorts after its beginning within the same second, too, and where the
  // clock was set back in between.
  const first = `${id.slice(0, dash)}z`;
  const own = stampOf(now);
  return {
    // And before what the same run finds anew.
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
