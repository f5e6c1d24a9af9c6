/**
 * What becomes of a slot of the fleet as a run goes on: pure, from the state.
 *
 * A slot that was taken for a switch stays with the host until it is healthy
 * on what Git names. So a revision that no host is healthy with stops the group
 * once each slot is held.
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
 * Whether a slot is to be given back. No attempt may be under way.
 *
 * What was only asked for was never used. A slot of a reboot is due once the
 * host is well after it, or where it never came to the reboot.
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
 * The slot once an attempt has ended. A host that is healthy with what it has
 * deployed gives it back; one that was changed and is not keeps it; one that was
 * not changed has what it had before.
 *
 * @param error How it failed; none where it ended well.
 */
export function slotAfter(
  { slot, attempt }: Pick<State, "slot" | "attempt">,
  result: string,
  error: SyncError | undefined,
): Pick<State, "slot"> {
  if (!slot || slot.phase !== "held" || slot.use !== "switch") return {};
  // A way back asks for no slot, and frees none.
  if (!attempt || attempt.left) return {};
  if (result === "deployed") return { slot: due(slot) };
  const isChanged = error !== undefined &&
    attempt.touched === true && !isRefusedSwitch(error);
  if (isChanged) return { slot: { ...slot, stuck: true } };
  return slot.stuck ? {} : { slot: due(slot) };
}

/** The slot, to be given back. */
export function due({ stuck: _, ...slot }: Slot): Slot {
  return { ...slot, phase: "due" };
}

/**
 * The wait for a slot to switch to a revision, if an earlier run found none.
 *
 * @param revision What is to be switched to.
 */
export function slotWaitOf(
  { slotWait }: Pick<State, "slotWait">,
  revision: string,
): SlotWait | undefined {
  return slotWait?.use === "switch" && slotWait.revision === revision
    ? slotWait
    : undefined;
}
