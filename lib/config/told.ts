/**
 * Whether a configuration has receivers of messages. Most have none, and then no
 * code for messages is loaded.
 *
 * @module
 */
import type { LocalConfig } from "./config.ts";

/** Whether a receiver of events is configured. */
export function tellsEvents(config: LocalConfig): boolean {
  return config["notify.apprise.urlsFile"] !== undefined ||
    config["notify.webhook.url"] !== undefined ||
    config["notify.alertmanager.url"] !== undefined;
}

/** Whether a receiver of events or commit statuses is configured. */
export function tellsAny(config: LocalConfig): boolean {
  return tellsEvents(config) || config["commitStatus.forge"] !== "none";
}
