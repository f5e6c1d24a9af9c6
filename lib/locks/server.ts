/**
 * The interface of all lock servers.
 *
 * @module
 */
import type { Slot, SlotHolder } from "../state/slot.ts";

/** The result of a request for a slot. */
export type Taken =
  | { result: "mine" }
  /** Others hold all slots. `holders` is set if the server lists them. */
  | { result: "full"; holders?: readonly SlotHolder[]; why?: string }
  /** Another machine uses this host's name in the group. */
  | { result: "other"; holder: SlotHolder };

/** The result of giving a slot back. */
export type Given =
  | { result: "given" }
  /** The slot no longer existed. `by` is who freed it, if that is known. */
  | { result: "gone"; by?: string; reason?: string };

/** Who frees a slot, and why. */
export interface UnlockWish {
  by: string;
  /** ISO 8601. */
  at: string;
  reason?: string;
}

/** A server of slots. Each call may throw {@linkcode LockError}. */
export interface LockServer {
  /** Returns a new slot of this host that was not requested yet. */
  fresh(wanted: Pick<Slot, "use" | "since" | "revision">): Slot;
  /** Reports whether it can give back this earlier slot. */
  knows(slot: Slot): boolean;
  /** Reports whether the slot has the currently configured group and name. */
  isOwn(slot: Slot): boolean;
  /**
   * Reports whether a slot is free, without taking it: `mine` means yes.
   *
   * @returns `undefined` if the server can't tell.
   */
  look(slot: Slot): Promise<Taken | undefined>;
  /**
   * Takes the slot. If the server supports leases, the slot expires soon
   * without a renewal.
   */
  take(slot: Slot): Promise<Taken>;
  /** Renews what {@linkcode take} took. It never fails. */
  renew(): Promise<void>;
  /**
   * Makes the slot last until it is given back.
   *
   * @returns `false` if it was lost.
   */
  keep(slot: Slot): Promise<boolean>;
  /** Gives the slot back. A slot of another host stays unchanged. */
  giveBack(slot: Slot): Promise<Given>;
  /**
   * Returns the holders in the group, or `undefined` if the server can't list
   * them.
   */
  holders(): Promise<readonly SlotHolder[] | undefined>;
  /**
   * Frees the slot of any host.
   *
   * @returns the holder, `undefined` if nobody held it, or `untold` if the
   * server does not report it.
   */
  unlock(
    id: string,
    wish: UnlockWish,
  ): Promise<SlotHolder | "untold" | undefined>;
}

/** The lock server does not answer, refuses, or is not a lock server. */
export class LockError extends Error {
  constructor(
    message: string,
    /** Hints for a person, one sentence each. */
    readonly hints: readonly string[] = [],
    /** Whether another member of the cluster may answer. */
    readonly isElsewhere = false,
  ) {
    super(message);
  }
}
