/**
 * Messages that wait for their delivery: a file each in the state folder, so
 * that they survive a reboot, a power cut and a rollback.
 *
 * @module
 */
import { oneLine } from "../base/text.ts";
import { ensurePrivateDir, readIfThere, writeWhole } from "../host/files.ts";
import { isText, object, optional, type Shape } from "../state/shape.ts";
import type { Channel } from "./channels.ts";
import type { Notice } from "./notice.ts";

/** How the deployment of a commit stands, for a forge. */
export interface CommitStatus {
  /** The same for each delivery of it. */
  id: string;
  revision: string;
  state: "pending" | "success" | "failure";
  description: string;
  link?: string;
}

/** What waits for its delivery by one channel. */
export type Waiting =
  & {
    version: 1;
    at: string;
    /** It failed, and no other message has to wait for it. */
    pause?: Pause;
  }
  & (
    | { channel: Exclude<Channel, "forge">; notice: Notice }
    | { channel: "forge"; status: CommitStatus }
  );

/** The most messages that wait for one channel; the oldest go first. */
export const mostWaiting = 1000;

/** How long a message waits at most, in milliseconds. */
export const longestWait = 7 * 24 * 3_600_000;

/** The folder of all that is told. */
export const notifyFolder = (folder: string) => `${folder}/notify`;

/** The folder of what waits. */
export const spoolFolder = (folder: string) => `${folder}/notify/spool`;

/** One file of the spool. */
export interface Spooled {
  name: string;
  channel: string;
  /** When it was put there, in milliseconds since 1970. */
  put: number;
}

/**
 * Puts a message where the next delivery finds it, on the disk before this
 * returns. One with the same id takes the place of the one that waits.
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
 * The time of the next file. Several messages of a run come within the same
 * moment, and the time of each file is their order.
 */
function nextTime(folder: string): Date {
  const newest = list(folder).at(-1)?.put ?? 0;
  return new Date(Math.max(Date.now(), newest + 1));
}

/** All that waits, in the order in which it was put there. */
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

/** The time of a file; one that another delivery took out has none. */
function timeOf(path: string): number {
  try {
    return Deno.lstatSync(path).mtime?.getTime() ?? 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

/** Whether anything waits. */
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

/** Whether a message is whole. */
export function isMessage(waiting: unknown): waiting is Waiting {
  if (!shape(waiting)) return false;
  const { notice, status } = waiting as Record<string, unknown>;
  return notice !== undefined || status !== undefined;
}

/** Reads a file of the spool; `undefined` where it is gone or not ours. */
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
 * Notes in a message that waits when it may be tried again. It keeps its place.
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

/** Takes a message out; one that is gone already is no fault. */
export async function remove(folder: string, name: string): Promise<void> {
  try {
    await Deno.remove(`${spoolFolder(folder)}/${name}`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** How a channel fares: after failures it is left alone for some time. */
export interface Pause {
  failures: number;
  /** ISO 8601. */
  notBefore: string;
  /** Why the last delivery failed, without a secret. */
  why: string;
}

const pausesIn = (folder: string) => `${notifyFolder(folder)}/pauses.json`;

/** The pauses by channel. Without a file that can be read there are none. */
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

/** Writes the pauses down. */
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
