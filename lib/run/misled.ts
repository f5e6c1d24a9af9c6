/**
 * Whether the bootloader still starts the deployed system.
 *
 * @module
 */
import { bootEntries, type BootEntry, countersOf } from "../host/boot_entry.ts";
import type { Deployment } from "../state/state.ts";

/**
 * Returns the bootloader entry that starts another system than the last good
 * one, although it started that one when it was read back. If an entry has no
 * tries left, the boot counting decides (lib/sync/boot_counting.ts).
 */
export function misledOf(
  lastGood: Deployment | undefined,
): { misled?: BootEntry } {
  const { system = "", loaders = [] } = lastGood ?? {};
  if (loaders.length === 0) return {};
  const misled = bootEntries().find((entry) =>
    loaders.includes(entry.loader) && entry.system !== system
  );
  if (!misled) return {};
  const isGivenUp = countersOf(system).some(({ left }) => left === 0);
  return isGivenUp ? {} : { misled };
}
