/**
 * The ways by which somebody is told, and which events each of them gets.
 *
 * @module
 */
import type { LocalConfig } from "../config/config.ts";
import { isAtLeast, type Notice } from "./notice.ts";

/** A way by which somebody is told. */
export type Channel = "apprise" | "webhook" | "alertmanager" | "forge";

const names: Readonly<Record<Channel, string>> = {
  apprise: "Apprise",
  webhook: "the webhook",
  alertmanager: "Alertmanager",
  forge: "the forge",
};

/** A channel as a person knows it. */
export const channelName = (channel: Channel): string => names[channel];

/** The options that a channel is set up with. */
const wanted = {
  apprise: "notify.apprise.urlsFile",
  webhook: "notify.webhook.url",
  alertmanager: "notify.alertmanager.url",
} as const;

/** The channels for events that are configured. */
export function eventChannels(
  config: LocalConfig,
): Exclude<Channel, "forge">[] {
  const all = ["apprise", "webhook", "alertmanager"] as const;
  return all.filter((channel) => config[wanted[channel]] !== undefined);
}

/** All channels that are configured. */
export function channelsOf(config: LocalConfig): Channel[] {
  return [
    ...eventChannels(config),
    ...(config["commitStatus.forge"] === "none" ? [] : ["forge"] as const),
  ];
}

/**
 * Whether a channel gets an event. The end of something goes to those who got
 * its beginning, and Alertmanager gets only what lasts.
 */
export function gets(
  config: LocalConfig,
  channel: Exclude<Channel, "forge">,
  notice: Notice,
): boolean {
  if (notice.event === "test") return true;
  if (channel === "alertmanager" && !notice.since && !notice.about) {
    return false;
  }
  const names = config[`notify.${channel}.events`];
  const severity = notice.about?.severity ?? notice.severity;
  const isNamed = names.length === 0 || names.includes(notice.event) ||
    channel === "alertmanager" && notice.about !== undefined &&
      names.includes(notice.about.event);
  return isNamed && isAtLeast(severity, config[`notify.${channel}.severity`]);
}
