/**
 * Delivers the messages of the spool: in order and separately for each channel,
 * with growing pauses after failures, and limits on number, age and time.
 *
 * @module
 */
import { type Effects, say } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import type { Sent } from "../base/post.ts";
import { count } from "../base/text.ts";
import type { LocalConfig } from "../config/config.ts";
import { toForge } from "../forge/status.ts";
import { takeLock } from "../host/lock.ts";
import { toAlertmanager } from "./alertmanager.ts";
import { toApprise } from "./apprise.ts";
import { type Channel, channelName, channelsOf } from "./channels.ts";
import { isPaused, pauseAfter, tellPause } from "./pause.ts";
import { BadFile, certificatesIn, tokenIn } from "./secret.ts";
import {
  list,
  longestWait,
  notifyFolder,
  type Pause,
  read,
  readPauses,
  remove,
  type Spooled,
  type Waiting,
  writePauses,
} from "./spool.ts";
import { Stuck } from "./stuck.ts";
import { type HostStatus, toWebhook } from "./webhook.ts";

/** The result of a delivery for one channel. */
export interface Delivered {
  channel: Channel;
  sent: number;
  /** Dropped: too old, or refused by the receiver. */
  dropped: number;
  waiting: number;
  /** Why the last try failed. */
  why?: string;
}

type DeliveryEffects =
  & Pick<Effects, "run" | "now" | "tell" | "monotonic">
  & Partial<WithHostStatus>;

/** Returns the state of the host. Without it, messages contain no state. */
interface WithHostStatus {
  hostStatus: () => Promise<HostStatus>;
}

/**
 * Delivers all due messages.
 *
 * @param within Milliseconds after which no further message is started.
 * @returns an empty list if another delivery is in progress.
 */
export async function deliverAll(
  effects: DeliveryEffects,
  config: LocalConfig,
  within: number,
): Promise<readonly Delivered[]> {
  const folder = config.stateDirectory;
  const all = list(folder);
  if (all.length === 0) return [];
  try {
    const now = effects.now().getTime();
    using _lock = await takeLock(notifyFolder(folder), "notify", now);
    await removeUnknown(effects, config, all);
    const pauses = readPauses(folder);
    const before = JSON.stringify(pauses);
    const end = effects.monotonic() + within;
    const channels = channelsOf(config);
    const delivered = await Promise.all(
      channels.map((channel) =>
        deliverBy(effects, config, channel, all, pauses, end)
      ),
    );
    if (JSON.stringify(pauses) !== before) await writePauses(folder, pauses);
    return delivered;
  } catch (error) {
    if (error instanceof SyncError && error.reason === "locked") return [];
    throw error;
  }
}

/** Removes the messages of channels that are no longer configured. */
async function removeUnknown(
  effects: DeliveryEffects,
  config: LocalConfig,
  all: readonly Spooled[],
): Promise<void> {
  const known: readonly string[] = channelsOf(config);
  const lost = all.filter(({ channel }) => !known.includes(channel));
  for (const { name } of lost) await remove(config.stateDirectory, name);
  if (lost.length === 0) return;
  const text = `Dropped ${
    count(lost.length, "message")
  } for receivers that are no longer configured`;
  say(effects, "notice", text);
}

async function deliverBy(
  effects: DeliveryEffects,
  config: LocalConfig,
  channel: Channel,
  all: readonly Spooled[],
  pauses: Partial<Record<Channel, Pause>>,
  end: number,
): Promise<Delivered> {
  const folder = config.stateDirectory;
  const own = all.filter((one) => one.channel === channel);
  const delivered: Delivered = {
    channel,
    sent: 0,
    dropped: 0,
    waiting: own.length,
  };
  const pause = pauses[channel];
  if (isPaused(pause, effects.now())) return { ...delivered, why: pause.why };
  const stuck = new Stuck();
  let hasFailed = false;
  for (const one of own) {
    const { name } = one;
    if (effects.monotonic() > end) break;
    const waiting = read(folder, name);
    const isDue = waiting && !isSuperseded(waiting, name, own);
    if (isDue && stuck.holds(waiting, effects.now())) continue;
    const sent: Sent = !isDue
      ? { result: "done" }
      : await deliver(effects, config, waiting);
    if (sent.result === "later") {
      delivered.why = sent.why;
      if (await stuck.takes(effects, folder, one, waiting!, sent)) continue;
      pauses[channel] = pauseAfter(pause, sent, effects.now());
      const to = channelName(channel);
      tellPause(effects, to, pauses[channel], effects.now());
      hasFailed = true;
      break;
    }
    if (sent.result === "refused") {
      delivered.dropped++;
      tellDropped(effects, channel, sent.why);
    } else if (isDue) delivered.sent++;
    delivered.waiting--;
    await remove(folder, name);
  }
  if (delivered.why !== undefined) {
    const old = await dropOld(effects, config, channel);
    delivered.dropped += old;
    delivered.waiting -= old;
  }
  if (delivered.sent > 0 && !hasFailed) delete pauses[channel];
  return delivered;
}

/**
 * A pending status is obsolete once the status of the attempt's end waits too.
 */
function isSuperseded(
  waiting: Waiting,
  name: string,
  all: readonly Spooled[],
): boolean {
  if (waiting.channel !== "forge" || waiting.status.state !== "pending") {
    return false;
  }
  const id = name.slice(0, name.indexOf(".0-"));
  return all.some((one) => one.name.startsWith(`${id}.1-`));
}

/**
 * Drops messages that are too old, after a receiver has failed. A message that
 * was never tried may only look old: a machine without a hardware clock writes
 * its first messages with an old time.
 *
 * @returns how many were dropped.
 */
async function dropOld(
  effects: DeliveryEffects,
  { stateDirectory: folder }: LocalConfig,
  channel: Channel,
): Promise<number> {
  const now = effects.now();
  const old = list(folder).filter((one) => {
    const waiting = one.channel === channel && read(folder, one.name);
    return waiting && isTooOld(waiting, now);
  });
  for (const { name } of old) await remove(folder, name);
  if (old.length > 0) {
    const text = `Dropped ${count(old.length, "message")} to ${
      channelName(channel)
    }: they could not be delivered for 7 days`;
    say(effects, "warning", text);
  }
  return old.length;
}

function isTooOld({ at }: Waiting, now: Date): boolean {
  return now.getTime() - Date.parse(at) > longestWait;
}

/** Delivers one message, regardless of pauses. */
export async function deliver(
  effects: Pick<Effects, "run" | "now"> & Partial<WithHostStatus>,
  config: LocalConfig,
  waiting: Waiting,
): Promise<Sent> {
  const now = effects.now();
  try {
    switch (waiting.channel) {
      case "apprise":
        return await toApprise(effects, config, waiting.notice);
      case "webhook":
        return await toWebhook(
          config,
          waiting.notice,
          now,
          await effects.hostStatus?.(),
        );
      case "alertmanager":
        return await toAlertmanager(config, waiting.notice, now);
      case "forge": {
        const option = "commitStatus.tokenFile";
        const tokenFile = config[option];
        if (tokenFile === undefined) {
          return { result: "later", why: `${option} is not set` };
        }
        return await toForge(config, waiting.status, {
          token: await tokenIn(tokenFile, option),
          ca: await certificatesIn(config["notify.caFile"]),
        }, now);
      }
    }
  } catch (error) {
    if (!(error instanceof BadFile)) throw error;
    return { result: "later", why: error.message };
  }
}

function tellDropped(
  effects: Pick<Effects, "tell">,
  channel: Channel,
  why: string,
): void {
  say(
    effects,
    "warning",
    `Dropped a message to ${channelName(channel)}: ${why}`,
  );
}
