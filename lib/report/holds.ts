/**
 * Which revisions stay blocked.
 *
 * @module
 */
import type { Hold } from "../state/state.ts";

/** The reasons of holds that a person made. */
const ofPeople = ["rolled-back", "rejected"];

/** Older ones are dropped: a hold matters only while a branch names it. */
const mostHolds = 20;

/**
 * Adds a hold. If there are too many, it drops first those that anybody with the
 * right to push can make without end, and never those that a person made.
 */
export function withHold(holds: readonly Hold[], hold: Hold): Hold[] {
  const others = holds.filter(({ revision }) => revision !== hold.revision);
  const spare = others.filter(({ reason }) => !ofPeople.includes(reason))
    .toSorted((a, b) => weight(b) - weight(a))
    .slice(mostHolds - 1);
  return [hold, ...others.filter((one) => !spare.includes(one))];
}

/** Ranks holds: a failed activation costs the most to find again. */
function weight({ stage }: Hold): number {
  if (stage === "verify") return 0;
  return ["activate", "health", "confirm"].includes(stage) ? 2 : 1;
}
