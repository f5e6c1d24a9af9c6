/**
 * What a lock server can do for a host, whichever it is.
 *
 * @module
 */
import type { Slot, SlotHolder } from "../state/slot.ts";

/** What came of asking for a slot. */
export type Taken =
  | { result: "mine" }
  /** Others have all of them; who, where the server tells it. */
  | { result: "full"; holders?: readonly SlotHolder[]; why?: string }
  /** Another machine has this host's name in the group. */
  | { result: "other"; holder: SlotHolder };

/** What came of giving one back. */
export type Given =
  | { result: "given" }
  /** It was not there any more; whose word that was, where it is known. */
  | { result: "gone"; by?: string; reason?: string };

/** Whose word it is, and why. */
export interface UnlockWish {
  by: string;
  /** ISO 8601. */
  at: string;
  reason?: string;
}

/** A server of slots. Each call throws {@linkcode LockTrouble}. */
export interface LockServer {
  /** A new slot of this host, not asked for yet. */
  fresh(wanted: Pick<Slot, "use" | "since" | "revision">): Slot;
  /** Whether it can give back this slot, which was asked for earlier. */
  knows(slot: Slot): boolean;
  /** Whether this slot is of the group and the name that are configured now. */
  isOwn(slot: Slot): boolean;
  /**
   * Whether the slot can be had, without taking it: `mine` says yes.
   *
   * @returns nothing where the server can't tell.
   */
  look(slot: Slot): Promise<Taken | undefined>;
  /** Takes the slot. Where the server can, it is gone soon without a renewal. */
  take(slot: Slot): Promise<Taken>;
  /** Renews what {@linkcode take} took. It never fails. */
  renew(): Promise<void>;
  /**
   * Makes the slot last until it is given back.
   *
   * @returns `false` where it was lost.
   */
  keep(slot: Slot): Promise<boolean>;
  /** Gives the slot back; a slot that is not this host's stays as it is. */
  giveBack(slot: Slot): Promise<Given>;
  /** Who holds a slot of the group; nothing where the server can't tell. */
  holders(): Promise<readonly SlotHolder[] | undefined>;
  /**
   * Takes the slot of any host away.
   *
   * @returns who held it; nothing where nobody did; `untold` where the server
   * does not say.
   */
  unlock(
    id: string,
    wish: UnlockWish,
  ): Promise<SlotHolder | "untold" | undefined>;
}

/** A lock server that does not answer, refuses, or is no such server. */
export class LockTrouble extends Error {
  constructor(
    message: string,
    /** What a person can do, one sentence each. */
    readonly hints: readonly string[] = [],
    /** Whether another member of a cluster may do better. */
    readonly isElsewhere = false,
  ) {
    super(message);
  }
}
