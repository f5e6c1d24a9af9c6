/**
 * A slot of the fleet in the state: a slot that this host holds or waits for.
 *
 * @module
 */
import {
  isText,
  isTime,
  listOf,
  object,
  optional,
  type Shape,
} from "./shape.ts";

/** What a slot is for: a switch to another system, or a reboot. */
export type SlotUse = "switch" | "reboot";

/** A slot that this host holds, may hold, or must release. */
export interface Slot {
  engine: "etcd" | "fleetlock";
  /** The lock server, as configured when the slot was asked for. */
  server: string;
  /** The prefix of its keys in etcd. */
  prefix?: string;
  group: string;
  /** The name of this host in the group. */
  id: string;
  /**
   * Distinguishes this slot from that of another machine with the same name.
   */
  token: string;
  /**
   * `asked`: written before the first request, so the server may have granted
   * it. `held`: from just before it becomes permanent. `due`: to be released.
   */
  phase: "asked" | "held" | "due";
  use: SlotUse;
  /** When it was requested, ISO 8601. */
  since: string;
  /** The revision that it was used for last. */
  revision: string;
  /**
   * `true`: the host was not healthy with the revision. The slot stays until
   * the host is healthy on another one, or a person says `fleet unlock`.
   */
  stuck?: true;
}

/**
 * Who holds a slot, as far as the server reports it. The texts are safe to
 * show.
 */
export interface SlotHolder {
  id: string;
  /** Since when, by the clock of that host. ISO 8601. */
  since?: string;
  revision?: string;
  use?: SlotUse;
  /** Whether it lasts until it is released. */
  isKept: boolean;
}

/** Why a host has no slot. */
export type SlotReason =
  /** Others hold all of them. */
  | "no-slot"
  /** Another machine has this host's name in the group. */
  | "slot-of-another"
  /** It was lost before the activation began. */
  | "slot-lost"
  /** The server does not answer, or refuses. */
  | "lock-unreachable";

/** The wait for a slot. */
export interface SlotWait {
  group: string;
  use: SlotUse;
  /** What waits. */
  revision: string;
  /** Since when, ISO 8601. */
  since: string;
  reason: SlotReason;
  /** Why, in one sentence. */
  message: string;
  /** Who holds the slots, if the server reports it. */
  holders?: readonly SlotHolder[];
}

/** The shape of a {@linkcode Slot} in `state.json`. */
export const slotShape: Shape = object({
  engine: isText,
  server: isText,
  prefix: optional(isText),
  group: isText,
  id: isText,
  token: isText,
  phase: isText,
  use: isText,
  since: isTime,
  revision: isText,
});

/** The shape of a {@linkcode SlotWait} in `state.json`. */
export const slotWaitShape: Shape = object({
  group: isText,
  use: isText,
  revision: isText,
  since: isTime,
  reason: isText,
  message: isText,
  holders: optional(listOf(object({ id: isText }))),
});
