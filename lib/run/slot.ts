/**
 * What happens to a slot of the fleet during a run. Pure, from the state.
 *
 * A host keeps a slot that it took for a switch until it is healthy with the tip
 * of its ref. So a revision with which no host is healthy stops the group as
 * soon as every slot is held.
 *
 * @module
 */
import { isRefusedSwitch, type SyncError } from "../base/errors.ts";
import type { Config } from "../config/schema.ts";
import type { Slot, SlotWait } from "../state/slot.ts";
import type { State } from "../state/state.ts";

/** Whether a configuration names a lock server. */
export function hasLock(
  config: Pick<Config, "lock.etcd.endpoints" | "lock.fleetlock.url">,
): boolean {
  return config["lock.etcd.endpoints"].length > 0 ||
    config["lock.fleetlock.url"] !== undefined;
}

/**
 * Whether to release a slot. No attempt may be in progress.
 *
 * A slot that was only requested was never used. A slot for a reboot is released
 * when the host is healthy after it, or if the reboot never happened.
 */
export function isSlotDue(
  { slot, attempt, reboot }: Pick<State, "slot" | "attempt" | "reboot">,
): boolean {
  if (!slot || attempt) return false;
  if (slot.phase !== "held") return true;
  return slot.use === "reboot" && !slot.stuck &&
    (!reboot || reboot.result === "well");
}

/**
 * Returns the slot after an attempt. A healthy host releases it. A host that was
 * changed and is unhealthy keeps it. A host that was not changed keeps what it
 * had before.
 *
 * @param error How the attempt failed; `undefined` if it succeeded.
 */
export function slotAfter(
  { slot, attempt }: Pick<State, "slot" | "attempt">,
  result: string,
  error: SyncError | undefined,
): Pick<State, "slot"> {
  if (!slot || slot.phase !== "held" || slot.use !== "switch") return {};
  // A rollback requests no slot, and releases none.
  if (!attempt || attempt.left) return {};
  if (result === "deployed") return { slot: due(slot) };
  const isChanged = error !== undefined &&
    attempt.touched === true && !isRefusedSwitch(error);
  if (isChanged) return { slot: { ...slot, stuck: true } };
  return slot.stuck ? {} : { slot: due(slot) };
}

/** Returns the slot, marked for release. */
export function due({ stuck: _, ...slot }: Slot): Slot {
  return { ...slot, phase: "due" };
}

/**
 * Returns the wait for a slot, if an earlier run found no free one.
 *
 * @param revision The revision to switch to.
 */
export function slotWaitOf(
  { slotWait }: Pick<State, "slotWait">,
  revision: string,
): SlotWait | undefined {
  return slotWait?.use === "switch" && slotWait.revision === revision
    ? slotWait
    : undefined;
}
