/**
 * Which revisions stay held.
 *
 * @module
 */
import type { Hold } from "../state/state.ts";

/** A person's word. */
const ofPeople = ["rolled-back", "rejected"];

/** More are forgotten: a hold matters while a branch names its revision. */
const mostHolds = 20;

/**
 * Holds one revision more. Where there are too many, those go first that whoever
 * may push makes without end, and never what a person left or rejected.
 */
export function withHold(holds: readonly Hold[], hold: Hold): Hold[] {
  const others = holds.filter(({ revision }) => revision !== hold.revision);
  const spare = others.filter(({ reason }) => !ofPeople.includes(reason))
    .toSorted((a, b) => weight(b) - weight(a))
    .slice(mostHolds - 1);
  return [hold, ...others.filter((one) => !spare.includes(one))];
}

/** What was refused unread is found again at no cost; what did harm is not. */
function weight({ stage }: Hold): number {
  if (stage === "verify") return 0;
  return ["activate", "health", "confirm"].includes(stage) ? 2 : 1;
}
