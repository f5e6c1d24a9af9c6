/**
 * The notification channels, and which events each of them gets.
 *
 * @module
 */
import type { LocalConfig } from "../config/config.ts";
import { isAtLeast, type Notice } from "./notice.ts";

/** A notification channel. */
export type Channel = "apprise" | "webhook" | "alertmanager" | "forge";

const names: Readonly<Record<Channel, string>> = {
  apprise: "Apprise",
  webhook: "the webhook",
  alertmanager: "Alertmanager",
  forge: "the forge",
};

/** Returns the name of a channel for people. */
export const channelName = (channel: Channel): string => names[channel];

/** The option that configures a channel. */
const wanted = {
  apprise: "notify.apprise.urlsFile",
  webhook: "notify.webhook.url",
  alertmanager: "notify.alertmanager.url",
} as const;

/** Returns the configured channels for events. */
export function eventChannels(
  config: LocalConfig,
): Exclude<Channel, "forge">[] {
  const all = ["apprise", "webhook", "alertmanager"] as const;
  return all.filter((channel) => config[wanted[channel]] !== undefined);
}

/** Returns all configured channels. */
export function channelsOf(config: LocalConfig): Channel[] {
  return [
    ...eventChannels(config),
    ...(config["commitStatus.forge"] === "none" ? [] : ["forge"] as const),
  ];
}

/**
 * Reports whether a channel gets an event. The end of an event goes to the
 * channels that got its beginning. Alertmanager gets only lasting events.
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
