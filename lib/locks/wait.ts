/**
 * The messages and the stored state of a host without a slot.
 *
 * @module
 */
import { exitCodes, SyncError } from "../base/errors.ts";
import { count, short } from "../base/text.ts";
import type { Slot, SlotHolder, SlotReason, SlotWait } from "../state/slot.ts";
import type { LockError, Taken } from "./server.ts";

/** How many holders a message names. */
const mostNamed = 5;

/** How many holders are stored, so that the state stays small. */
const mostRemembered = 20;

/** Why the host got no slot. */
export interface Refusal {
  reason: SlotReason;
  message: string;
  hints: readonly string[];
  holders?: readonly SlotHolder[];
}

/** Returns what an answer without a slot means. */
export function refusalOf(
  taken: Exclude<Taken, { result: "mine" }>,
  { group, id }: Pick<Slot, "group" | "id">,
): Refusal {
  if (taken.result === "other") {
    return {
      reason: "slot-of-another",
      message:
        `the slot of ${id} in the group ${group} is taken by another machine, or by this one before it lost its state`,
      hints: [
        `give each machine its own lock.id; if no other machine uses ${id}, run gitops-sync fleet unlock ${id} --reason TEXT`,
      ],
      holders: [taken.holder],
    };
  }
  const { holders, why } = taken;
  const who = holders && holders.length > 0
    ? `: ${holdersText(holders)}`
    : why
    ? `: ${why}`
    : "";
  const stuck = holders?.find(({ isKept }) => isKept);
  return {
    reason: "no-slot",
    message: `no slot of the group ${group} is free${who}`,
    hints: stuck
      ? [
        `check ${stuck.id}; to free its slot, run gitops-sync fleet unlock ${stuck.id} --reason TEXT`,
      ]
      : [],
    ...holders ? { holders: holders.slice(0, mostRemembered) } : {},
  };
}

/** Returns what a failed query means. */
export function refusalBy({ message, hints }: LockError): Refusal {
  return {
    reason: "lock-unreachable",
    message: `could not query the lock server: ${message}`,
    hints,
  };
}

/** Describes holders. */
export function holdersText(holders: readonly SlotHolder[]): string {
  const named = holders.slice(0, mostNamed).map(holderText);
  const more = holders.length - named.length;
  return [...named, ...more > 0 ? [`${count(more, "other")}`] : []].join(", ");
}

/** Describes one holder. */
export function holderText({ id, since, revision, use }: SlotHolder): string {
  const what = [
    ...use === "reboot" ? ["to reboot"] : [],
    ...revision ? [`for ${short(revision)}`] : [],
    ...since ? [`since ${since.replace(/\.\d+Z$/, "Z")}`] : [],
  ];
  return what.length === 0 ? id : `${id} ${what.join(" ")}`;
}

/** Returns the wait that a refusal starts or continues. */
export function waitFor(
  before: SlotWait | undefined,
  { group, use, revision }: Pick<Slot, "group" | "use" | "revision">,
  { reason, message, holders }: Refusal,
  now: Date,
): SlotWait {
  const isSame = before?.revision === revision && before.use === use;
  return {
    group,
    use,
    revision,
    since: isSame ? before.since : now.toISOString(),
    reason,
    message,
    ...holders ? { holders } : {},
  };
}

/**
 * Returns the end of a run without a slot. That is no failure: the exit code is
 * 0.
 */
export function withoutSlot({ reason, message, hints }: Refusal): SyncError {
  return new SyncError(`Not now: ${message}`, {
    stage: "slot",
    reason,
    next: "stop",
    exit: exitCodes.ok,
    hints: [
      ...hints,
      "each run tries again, and does not build the system again",
    ],
  });
}
