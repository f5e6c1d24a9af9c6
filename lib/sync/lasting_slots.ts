/**
 * What lasts of a slot of the fleet, for messages.
 *
 * @module
 */
import { nameOf } from "../notify/notice.ts";
import type { Condition } from "../notify/told.ts";
import type { State } from "../state/state.ts";

/** A host that waits for its turn in the fleet. */
export function slotWantedIn(
  state: State | undefined,
): Condition | undefined | "unknown" {
  if (!state) return "unknown";
  const { slotWait } = state;
  if (!slotWait) return undefined;
  const { use, revision, since, reason, message } = slotWait;
  const what = use === "reboot" ? "the reboot" : nameOf(revision);
  return {
    key: `slot-wanted ${since}`,
    since: new Date(since),
    parts: {
      event: "slot-wanted",
      severity: "info",
      summary: `${what} waits for a slot`,
      revision,
      reason,
      message,
    },
  };
}

/** A host that was not well keeps its slot, and so holds the others up. */
export function slotKeptIn(
  state: State | undefined,
): Condition | undefined | "unknown" {
  if (!state) return "unknown";
  const { slot } = state;
  if (!slot?.stuck) return undefined;
  const { group, id, since, revision } = slot;
  return {
    key: `slot-kept ${since}`,
    since: new Date(since),
    parts: {
      event: "slot-kept",
      severity: "warning",
      summary: `keeps its slot of the group ${group}: not healthy with ${
        nameOf(revision)
      }`,
      revision,
      hints: [
        `Push a fix, or run \`gitops-sync fleet unlock ${id} --reason TEXT\` to free the slot.`,
      ],
    },
  };
}
