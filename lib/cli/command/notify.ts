/**
 * `gitops-sync notify`: delivers the messages that wait, or tests every
 * receiver.
 *
 * @module
 */
import { guide } from "../../base/guide.ts";
import type { Effects } from "../../base/effects.ts";
import { type ExitCode, exitCodes, usageError } from "../../base/errors.ts";
import type { Sent } from "../../base/post.ts";
import { count } from "../../base/text.ts";
import type { LocalConfig } from "../../config/config.ts";
import {
  type Channel,
  channelName,
  channelsOf,
  eventChannels,
} from "../../notify/channels.ts";
import { deliver, deliverAll, type Delivered } from "../../notify/deliver.ts";
import { noticeOf, stampOf } from "../../notify/notice.ts";
import { localConfigOf } from "../config.ts";
import { hostPart } from "../../report/host_facts.ts";
import { realEffects } from "../output/effects.ts";
import { printHostJson } from "../output/host_json.ts";
import { print } from "../output/print.ts";
import type { Call } from "../call.ts";

/** Milliseconds in which deliveries may start. */
const startWithin = 5 * 60_000;

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  const config = await localConfigOf(call);
  if (channelsOf(config).length === 0) throw noReceivers();
  using effects = await realEffects(call.verbose);
  return call.switches.has("test")
    ? await testAll(call, effects, config)
    : await deliverNow(call, effects, config);
}

function noReceivers() {
  return usageError(
    "nobody-to-tell",
    "Cannot deliver messages: no receiver is configured",
    `Set notify.apprise.urlsFile, notify.webhook.url, notify.alertmanager.url or commitStatus.forge. See ${
      guide("notifications.md")
    }`,
  );
}

/**
 * Delivers the messages. One that fails waits for the next call, and is no
 * failure of this command.
 */
async function deliverNow(
  call: Call,
  effects: Effects,
  config: LocalConfig,
): Promise<ExitCode> {
  const doing = { ...effects, hostStatus: () => hostPart(config) };
  const all = await deliverAll(doing, config, startWithin);
  if (call.json) {
    const result = { channels: all };
    await printHostJson("notify", config, exitCodes.ok, result);
  } else {
    for (const one of all) tellDelivered(one);
  }
  return exitCodes.ok;
}

function tellDelivered({ channel, sent, waiting }: Delivered): void {
  if (sent + waiting === 0) return;
  const rest = waiting > 0 ? `, ${waiting} waiting` : "";
  print(`${channelName(channel)}: ${count(sent, "message")} delivered${rest}`);
}

/**
 * Sends a test message to every receiver of events, at once and without the
 * spool.
 */
async function testAll(
  call: Call,
  effects: Effects,
  config: LocalConfig,
): Promise<ExitCode> {
  const channels = eventChannels(config);
  const results = await Promise.all(channels.map(async (channel) => ({
    channel,
    ...await testOne(effects, config, channel),
  })));
  const isDone = results.every(({ result }) => result === "done");
  const exit = isDone ? exitCodes.ok : exitCodes.remote;
  if (call.json) {
    await printHostJson("notify", config, exit, {
      channels: results.map(({ channel, result, ...rest }) => ({
        channel,
        delivered: result === "done",
        ..."why" in rest ? { why: rest.why } : {},
      })),
    });
    return exit;
  }
  for (const one of results) print(testLine(one));
  if (config["commitStatus.forge"] !== "none") {
    print("commit status: not tested; the test status would stay on a commit");
  }
  return exit;
}

async function testOne(
  effects: Effects,
  config: LocalConfig,
  channel: Exclude<Channel, "forge">,
): Promise<Sent> {
  const now = effects.now();
  const notice = noticeOf(
    { ...config, repository: config.repository ?? "" },
    now,
    {
      id: `${stampOf(now)}-test`,
      event: "test",
      severity: "info",
      summary: "a test of gitops-sync notify --test",
      message: `Messages of ${config.host} arrive here`,
    },
  );
  const at = now.toISOString();
  const doing = { ...effects, hostStatus: () => hostPart(config) };
  return await deliver(doing, config, { version: 1, at, channel, notice });
}

function testLine({ channel, ...sent }: { channel: Channel } & Sent): string {
  const how = sent.result === "done" ? "delivered" : `failed: ${sent.why}`;
  return `${channelName(channel)}: ${how}`;
}
