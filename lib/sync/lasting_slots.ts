/**
 * Lasting conditions of a slot of the fleet, for messages.
 *
 * @module
 */
import { nameOf } from "../notify/notice.ts";
import type { Condition } from "../notify/told.ts";
import type { State } from "../state/state.ts";

/** Returns the condition of a host that waits for a slot. */
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

/** Returns the condition of an unhealthy host, which keeps its slot. */
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
