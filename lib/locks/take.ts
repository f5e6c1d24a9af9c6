/**
 * Takes a slot before this host is changed. The slot is recorded before each
 * request, so an interruption at any point leaves no unknown slot.
 *
 * @module
 */
import { say } from "../base/effects.ts";
import type { SyncError } from "../base/errors.ts";
import type { Run } from "../run/run.ts";
import { hasLock } from "../run/slot.ts";
import type { Slot, SlotUse, SlotWait } from "../state/slot.ts";
import type { State } from "../state/state.ts";
import { type OpenLock, openLock } from "./configured.ts";
import { LockError, type LockServer } from "./server.ts";
import {
  type Refusal,
  refusalBy,
  refusalOf,
  waitFor,
  withoutSlot,
} from "./wait.ts";

/** The time between two renewals, in milliseconds: a third of the lease. */
const renewal = 20_000;

/** What a slot is needed for. */
export interface Wanted {
  use: SlotUse;
  revision: string;
}

/** A slot that was taken, until it is kept or released. */
export class TakenSlot implements Disposable {
  #timer: ReturnType<typeof setInterval>;

  constructor(
    private readonly run: Run,
    private readonly lock: OpenLock,
    /** Its group, for messages. */
    readonly group: string,
  ) {
    this.#timer = setInterval(() => this.lock.server.renew(), renewal);
  }

  /**
   * Keeps the slot, right before the host is changed.
   *
   * @throws {SyncError} `slot-lost` or `lock-unreachable`, exit 0.
   */
  async keep(): Promise<void> {
    clearInterval(this.#timer);
    const slot: Slot = { ...this.run.state.slot!, phase: "held" };
    await this.run.save({ slot });
    let isKept: boolean;
    try {
      isKept = await this.lock.server.keep(slot);
    } catch (error) {
      if (!(error instanceof LockError)) throw error;
      // The slot may have been kept: it is given back, unless it is stuck.
      if (!slot.stuck) await this.run.save({ slot: { ...slot, phase: "due" } });
      throw await notNow(this.run, slot, refusalBy(error));
    }
    if (isKept) return;
    await forgetSlot(this.run);
    throw await notNow(this.run, slot, lost(slot));
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.lock[Symbol.dispose]();
  }
}

/**
 * Takes a slot if a lock server is configured.
 *
 * @returns `undefined` if no slot is needed.
 * @throws {SyncError} exit 0, if no slot is free or the server can't be
 * queried.
 */
export async function takeSlot(
  run: Run,
  wanted: Wanted,
): Promise<TakenSlot | undefined> {
  if (!hasLock(run.config)) return undefined;
  const lock = await opened(run, wanted);
  try {
    await take(run, lock.server, wanted);
    return new TakenSlot(run, lock, run.config["lock.group"]);
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
}

/**
 * Checks whether a slot is free before an attempt repeats all its stages. If
 * the server can't tell, the slot is taken now, and the attempt uses it.
 *
 * @returns why not, or `undefined` if a slot is free.
 */
export async function slotIsFree(
  run: Run,
  wanted: Wanted,
): Promise<SlotWait | undefined> {
  // The lock was removed from the configuration meanwhile.
  if (!hasLock(run.config)) return undefined;
  try {
    using lock = await opened(run, wanted);
    const { server } = lock;
    const { slot } = await ownSlot(run, server, wanted);
    const seen = await asked(run, slot, () => server.look(slot));
    if (seen === undefined) await take(run, server, wanted);
    else if (seen.result !== "mine") {
      throw await notNow(run, slot, refusalOf(seen, slot));
    }
    return undefined;
  } catch (error) {
    if (!isWithoutSlot(error)) throw error;
    return run.state.slotWait;
  }
}

function isWithoutSlot(error: unknown): error is SyncError {
  return (error as SyncError)?.stage === "slot";
}

async function opened(run: Run, wanted: Wanted): Promise<OpenLock> {
  try {
    return (await openLock(run.config))!;
  } catch (error) {
    if (!(error instanceof LockError)) throw error;
    const group = run.config["lock.group"];
    throw await notNow(run, { ...wanted, group }, refusalBy(error));
  }
}

async function take(
  run: Run,
  server: LockServer,
  wanted: Wanted,
): Promise<void> {
  const { slot, isNew } = await ownSlot(run, server, wanted);
  // The check changes nothing, so it comes before the slot is recorded.
  const seen = await asked(run, slot, () => server.look(slot));
  if (seen && seen.result !== "mine") {
    throw await notNow(run, slot, refusalOf(seen, slot));
  }
  await run.save({ slot });
  const taken = await asked(run, slot, () => server.take(slot));
  if (taken.result !== "mine") {
    if (isNew) await forgetSlot(run);
    throw await notNow(run, slot, refusalOf(taken, slot));
  }
  const { slotWait: _, ...state } = run.state;
  await run.replace(state);
}

/** Returns the existing slot of this host, or a new one. */
async function ownSlot(
  run: Run,
  server: LockServer,
  { use, revision }: Wanted,
): Promise<{ slot: Slot; isNew: boolean }> {
  const since = run.effects.now().toISOString();
  const known = run.state.slot;
  if (known && server.isOwn(known)) {
    // A slot that is held across runs is held for a reason.
    const stuck = known.phase === "held" ? { stuck: true as const } : {};
    return { slot: { ...known, ...stuck, use, revision }, isNew: false };
  }
  const slot = server.fresh({ use, since, revision });
  // The host has another name or another group now.
  if (known) await giveBackOld(run, server, known, slot);
  return { slot, isNew: true };
}

/** Gives back a slot that is no longer configured. */
async function giveBackOld(
  run: Run,
  server: LockServer,
  old: Slot,
  wanted: Slot,
): Promise<void> {
  if (server.knows(old)) await asked(run, wanted, () => server.giveBack(old));
  else tellUnknown(run, old);
  await forgetSlot(run);
}

/** Reports a slot that stays at a server that is no longer configured. */
export function tellUnknown(
  { effects }: Pick<Run, "effects">,
  { server, group, id }: Slot,
): void {
  say(
    effects,
    "warning",
    `The slot of ${id} in the group ${group} stays taken at ${server}, which is no longer configured`,
    [
      `run gitops-sync fleet unlock ${id} --reason TEXT on a host whose lock options name that server`,
    ],
  );
}

async function asked<T>(
  run: Run,
  slot: Slot,
  ask: () => Promise<T>,
): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof LockError)) throw error;
    throw await notNow(run, slot, refusalBy(error));
  }
}

async function forgetSlot(run: Run): Promise<void> {
  const { slot: _, ...state } = run.state;
  await run.replace(state as State);
}

/** Records the wait for `status` and for the next run. */
async function notNow(
  run: Run,
  slot: Pick<Slot, "group" | "use" | "revision">,
  refusal: Refusal,
): Promise<SyncError> {
  const now = run.effects.now();
  const slotWait = waitFor(run.state.slotWait, slot, refusal, now);
  await run.save({ slotWait });
  return withoutSlot(refusal);
}

function lost({ group }: Slot): Refusal {
  return {
    reason: "slot-lost",
    message:
      `the slot of the group ${group} was lost before the activation: it expired, or somebody freed it`,
    hints: [],
  };
}
