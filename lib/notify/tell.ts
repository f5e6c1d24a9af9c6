/**
 * Puts events into the spool, for each channel that gets them. Nothing of this
 * fails or blocks a deployment: what can't be written is a warning.
 *
 * @module
 */
import { type Effects, say } from "../base/effects.ts";
import { foreseen } from "../base/os_error.ts";
import { short } from "../base/text.ts";
import type { Config } from "../config/schema.ts";
import { type Channel, eventChannels, gets } from "./channels.ts";
import { type Notice, noticeOf, type NoticeParts } from "./notice.ts";
import type { Untold } from "../state/state.ts";
import { type CommitStatus, put, type Waiting } from "./spool.ts";
import { tellUnspooled } from "./untold.ts";
import {
  beginningOf,
  changeOf,
  type Condition,
  endOf,
  readTold,
  type Told,
  writeTold,
} from "./told.ts";

/** What telling needs of a run. */
export interface Teller {
  effects: Pick<Effects, "tell" | "now">;
  config: Config;
  /** Takes what the spool does not. Without it that is an error. */
  untold?: Untold[];
}

/** Does something that must not fail what it is about. */
export async function withoutHarm(
  { effects }: Pick<Teller, "effects">,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    const { message } = foreseen(error) as Error;
    say(effects, "warning", `Cannot queue a message: ${message}`);
  }
}

/** Spools one event that happened at a point in time. */
export async function spool(
  teller: Teller,
  parts: NoticeParts,
): Promise<void> {
  const { config, effects } = teller;
  await putForAll(teller, noticeOf(config, effects.now(), parts));
}

async function putForAll(teller: Teller, notice: Notice): Promise<void> {
  const { config } = teller;
  for (const channel of eventChannels(config)) {
    if (!gets(config, channel, notice)) continue;
    await putNotice(teller, channel, notice);
  }
}

async function putNotice(
  teller: Teller,
  channel: Exclude<Channel, "forge">,
  notice: Notice,
): Promise<void> {
  const at = teller.effects.now().toISOString();
  const id = `${notice.id}.${notice.event}`;
  const waiting = { version: 1, at, channel, notice } as const;
  await putOrKeep(teller, id, waiting);
}

/** Puts a message into the spool, or keeps it for later. */
async function putOrKeep(
  { config, effects, untold }: StatusTeller,
  id: string,
  waiting: Waiting,
): Promise<void> {
  try {
    await put(config.stateDirectory, id, waiting);
  } catch (thrown) {
    if (!untold) throw thrown;
    tellUnspooled(effects, thrown);
    untold.push({ id, waiting });
  }
}

/** What a run found of all that lasts. */
export interface Found {
  conditions: readonly Condition[];
  /** Whether it could look at the condition of a key. */
  isKnown: (key: string) => boolean;
  /** The last reboot that has come to its end, with its event. */
  reboot?: { at: string; parts: NoticeParts };
}

/**
 * Tells what has begun and what is over since the last time. All of it is
 * written down before the first message is spooled, so that a run that is cut
 * off in between is made up for with the same ids.
 */
export async function tellFound(teller: Teller, found: Found): Promise<void> {
  const { config, effects } = teller;
  const folder = config.stateDirectory;
  const known = readTold(folder);
  const told = known ?? { open: {} };
  const now = effects.now();
  const { begun, over } = changeOf(told.open, found.conditions, found.isKnown);
  const open: Record<string, Notice> = { ...told.open };
  const unsent: Notice[] = [...told.unsent ?? []];
  for (const [key, notice] of over) {
    unsent.push(noticeOf(config, now, endOf(notice, now)));
    delete open[key];
  }
  const lasting = Object.values(open);
  for (const condition of begun) {
    const notice = noticeOf(config, now, await beginningOf(condition, now));
    open[condition.key] = notice;
    unsent.push(notice);
  }
  const reboot = found.reboot;
  // One from before anybody was told is no news.
  if (known && reboot && reboot.at !== told.reboot) {
    unsent.push(noticeOf(config, now, reboot.parts));
  }
  await refresh(teller, lasting);
  const { unsent: _, ...rest } = told;
  const next = { ...rest, open, ...reboot ? { reboot: reboot.at } : {} };
  const isNews = JSON.stringify(next) !== JSON.stringify(rest);
  if (known && !isNews && unsent.length === 0) return;
  if (unsent.length > 0) {
    await writeTold(folder, { ...next, unsent });
    for (const notice of unsent) await putForAll(teller, notice);
  }
  await writeTold(folder, next);
}

/**
 * Alertmanager forgets alerts when it is started anew, and each after some
 * time: it is told of those that last again. That is no new message there.
 */
async function refresh(
  teller: Teller,
  open: readonly Notice[],
): Promise<void> {
  const { config } = teller;
  if (config["notify.alertmanager.url"] === undefined) return;
  for (const notice of open) {
    if (!gets(config, "alertmanager", notice)) continue;
    await putNotice(teller, "alertmanager", notice);
  }
}

/** What telling a forge needs of a run. */
export interface StatusTeller extends Pick<Teller, "effects" | "untold"> {
  config: Pick<Config, "commitStatus.forge" | "stateDirectory">;
}

/** More commits that are pending at once are those of no one host. */
const mostPending = 100;

/** The commits that the forge was told to be pending, and no end of since. */
export function pendingAt({ config }: StatusTeller): readonly string[] {
  return readTold(config.stateDirectory)?.pending ?? [];
}

/**
 * Spools a commit status, unless the forge was told the same last.
 *
 * @param order Sorts the statuses of one attempt: 0 is that of its beginning.
 */
export async function spoolStatus(
  teller: StatusTeller,
  order: 0 | 1,
  status: CommitStatus,
): Promise<void> {
  const { config, effects } = teller;
  if (config["commitStatus.forge"] === "none") return;
  const folder = config.stateDirectory;
  const told: Told = readTold(folder) ?? { open: {} };
  const { revision, state, description, id } = status;
  const last = told.status;
  // Forges keep a limited number of statuses for a commit, and an attempt that
  // is tried again each hour has nothing new to say.
  const isSame = last?.revision === revision &&
    (order === 0 ||
      last.state === state && last.description === description);
  if (isSame) return;
  const at = effects.now().toISOString();
  await putOrKeep(teller, `${id}.${order}-${state}-${short(revision)}`, {
    version: 1,
    at,
    channel: "forge",
    status,
  });
  const others = (told.pending ?? []).filter((one) => one !== revision);
  const pending = state === "pending" ? [...others, revision] : others;
  await writeTold(folder, {
    ...told,
    status: { revision, state, description },
    pending: pending.slice(-mostPending),
  });
}
