/**
 * Writes events to the spool, for each channel that gets them. This never fails
 * or blocks a deployment: a failed write is only a warning.
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

/** What the notifications need of a run. */
export interface Teller {
  effects: Pick<Effects, "tell" | "now">;
  config: Config;
  /**
   * Collects messages that the spool can't take. Without it, that is an error.
   */
  untold?: Untold[];
}

/** Does work whose errors must not stop the run; they become warnings. */
export async function warnOnFailure(
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

/** Queues one event that happened at a point in time. */
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

/** Writes a message to the spool, or keeps it for later. */
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

/** The lasting conditions that a run found. */
export interface Found {
  conditions: readonly Condition[];
  /** Reports whether the run could check the condition of a key. */
  isKnown: (key: string) => boolean;
  /** The last completed reboot, with its event. */
  reboot?: { at: string; parts: NoticeParts };
}

/**
 * Reports which conditions began and ended since the last time. All events are
 * recorded before the first message is queued, so after an interruption the
 * next run queues them with the same ids.
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
  // A reboot from before the first report is not new.
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
 * Sends active alerts again. Alertmanager forgets alerts when it restarts, and
 * each one after some time. For people this is no new message.
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

/** What commit statuses need of a run. */
export interface StatusTeller extends Pick<Teller, "effects" | "untold"> {
  config: Pick<Config, "commitStatus.forge" | "stateDirectory">;
}

/** The limit of pending commits that are remembered. */
const mostPending = 100;

/**
 * Returns the commits that were reported as pending, without a result since.
 */
export function pendingAt({ config }: StatusTeller): readonly string[] {
  return readTold(config.stateDirectory)?.pending ?? [];
}

/**
 * Queues a commit status, unless the last one was the same.
 *
 * @param order The order of the statuses of one attempt: 0 is the beginning.
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
  // Forges keep a limited number of statuses for a commit, and an hourly retry
  // with the same result is not new.
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
