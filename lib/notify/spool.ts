/**
 * Messages that wait for delivery. Each is a file in the state folder, so it
 * survives a reboot, a power cut and a rollback.
 *
 * @module
 */
import { oneLine } from "../base/text.ts";
import { ensurePrivateDir, readIfThere, writeWhole } from "../host/files.ts";
import { isText, object, optional, type Shape } from "../state/shape.ts";
import type { Channel } from "./channels.ts";
import type { Notice } from "./notice.ts";

/** The status of a commit's deployment, for a forge. */
export interface CommitStatus {
  /** The same for each delivery of it. */
  id: string;
  revision: string;
  state: "pending" | "success" | "failure";
  description: string;
  link?: string;
}

/** A message that waits for delivery through one channel. */
export type Waiting =
  & {
    version: 1;
    at: string;
    /** It failed, and other messages do not have to wait for it. */
    pause?: Pause;
  }
  & (
    | { channel: Exclude<Channel, "forge">; notice: Notice }
    | { channel: "forge"; status: CommitStatus }
  );

/**
 * The limit of waiting messages for one channel. The oldest are dropped first.
 */
export const mostWaiting = 1000;

/** The longest that a message waits, in milliseconds. */
export const longestWait = 7 * 24 * 3_600_000;

/** Returns the folder of notifications. */
export const notifyFolder = (folder: string) => `${folder}/notify`;

/** Returns the folder of waiting messages. */
export const spoolFolder = (folder: string) => `${folder}/notify/spool`;

/** One file of the spool. */
export interface Spooled {
  name: string;
  channel: string;
  /** When it was written, in milliseconds since 1970. */
  put: number;
}

/**
 * Writes a message for the next delivery. It is on disk before this returns. It
 * replaces a waiting message with the same id.
 *
 * @param id Letters, digits, `-` and `.`.
 * @param folder The state folder.
 * @throws {SyncError} `disk-full` and the like.
 */
export async function put(
  folder: string,
  id: string,
  waiting: Waiting,
): Promise<void> {
  const spool = spoolFolder(folder);
  await ensurePrivateDir(notifyFolder(folder));
  await ensurePrivateDir(spool);
  const { channel } = waiting;
  const text = `${JSON.stringify(waiting)}\n`;
  await writeWhole(`${spool}/${id}.${channel}.json`, text, nextTime(folder));
  const all = list(folder).filter((one) => one.channel === channel);
  for (const { name } of all.slice(0, Math.max(0, all.length - mostWaiting))) {
    await remove(folder, name);
  }
}

/**
 * Returns the time of the next file. A run may write several messages at once,
 * and the times of the files are their order.
 */
function nextTime(folder: string): Date {
  const newest = list(folder).at(-1)?.put ?? 0;
  return new Date(Math.max(Date.now(), newest + 1));
}

/** Returns all waiting messages, oldest first. */
export function list(folder: string): Spooled[] {
  const found: Spooled[] = [];
  try {
    for (const { name, isFile } of Deno.readDirSync(spoolFolder(folder))) {
      const channel = /\.(\w+)\.json$/.exec(name)?.[1];
      if (!isFile || !channel) continue;
      found.push({
        name,
        channel,
        put: timeOf(`${spoolFolder(folder)}/${name}`),
      });
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return found.sort((a, b) =>
    a.put === b.put ? (a.name < b.name ? -1 : 1) : a.put - b.put
  );
}

/** Returns the time of a file, or 0 if another delivery removed it. */
function timeOf(path: string): number {
  try {
    return Deno.lstatSync(path).mtime?.getTime() ?? 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

/** Reports whether any message waits. */
export function isWaiting(folder: string): boolean {
  return list(folder).length > 0;
}

const isPause: Shape = object({ notBefore: isText, why: isText });

const shape: Shape = object({
  at: isText,
  channel: isText,
  pause: optional(isPause),
  notice: optional(object({ id: isText, event: isText, summary: isText })),
  status: optional(
    object({
      id: isText,
      revision: isText,
      state: isText,
      description: isText,
    }),
  ),
});

/** Reports whether a message is complete. */
export function isMessage(waiting: unknown): waiting is Waiting {
  if (!shape(waiting)) return false;
  const { notice, status } = waiting as Record<string, unknown>;
  return notice !== undefined || status !== undefined;
}

/**
 * Reads a file of the spool. Returns `undefined` if it is missing or not a
 * message.
 */
export function read(folder: string, name: string): Waiting | undefined {
  try {
    const text = readIfThere(`${spoolFolder(folder)}/${name}`);
    const waiting = JSON.parse(text ?? "null");
    return isMessage(waiting) ? waiting : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/**
 * Records in a waiting message when it may be tried again. It keeps its place
 * in the order.
 *
 * @throws {SyncError} `disk-full` and the like.
 */
export async function postpone(
  folder: string,
  { name, put }: Spooled,
  waiting: Waiting,
  pause: Pause,
): Promise<void> {
  const text = JSON.stringify({ ...waiting, pause: shortened(pause) });
  await writeWhole(
    `${spoolFolder(folder)}/${name}`,
    `${text}\n`,
    new Date(put),
  );
}

/** Removes a message. It is no error if it is already missing. */
export async function remove(folder: string, name: string): Promise<void> {
  try {
    await Deno.remove(`${spoolFolder(folder)}/${name}`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** The pause of a channel after failures. */
export interface Pause {
  failures: number;
  /** ISO 8601. */
  notBefore: string;
  /** Why the last delivery failed, without a secret. */
  why: string;
}

const pausesIn = (folder: string) => `${notifyFolder(folder)}/pauses.json`;

/** Returns the pauses by channel. Without a readable file there are none. */
export function readPauses(folder: string): Partial<Record<Channel, Pause>> {
  try {
    const text = readIfThere(pausesIn(folder)) ?? "{}";
    const pauses: Record<string, Pause> = JSON.parse(text);
    return Object.fromEntries(
      Object.entries(pauses ?? {}).filter(([, pause]) => isPause(pause)),
    );
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

/** Records the pauses. */
export async function writePauses(
  folder: string,
  pauses: Partial<Record<Channel, Pause>>,
): Promise<void> {
  const all = Object.entries(pauses)
    .map(([channel, pause]) => [channel, shortened(pause)]);
  const text = JSON.stringify(Object.fromEntries(all));
  await writeWhole(pausesIn(folder), `${text}\n`);
}

const shortened = (pause: Pause): Pause => ({
  ...pause,
  why: oneLine(pause.why, 200),
});
