/**
 * Whether the bootloader still starts what was deployed.
 *
 * @module
 */
import { bootEntries, type BootEntry, countersOf } from "../host/boot_entry.ts";
import type { Deployment } from "../state/state.ts";

/**
 * The bootloader that starts another system than the last good one, though it
 * was read back as starting that. Where an entry has no tries left, the boot
 * counting decides (lib/sync/boot_counting.ts).
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
