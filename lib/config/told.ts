/**
 * Whether a configuration names anybody to tell: most name nobody, and load
 * nothing for it.
 *
 * @module
 */
import type { LocalConfig } from "./config.ts";

/** Whether somebody gets events. */
export function tellsEvents(config: LocalConfig): boolean {
  return config["notify.apprise.urlsFile"] !== undefined ||
    config["notify.webhook.url"] !== undefined ||
    config["notify.alertmanager.url"] !== undefined;
}

/** Whether somebody gets events or commit statuses. */
export function tellsAny(config: LocalConfig): boolean {
  return tellsEvents(config) || config["commitStatus.forge"] !== "none";
}
