/**
 * Takes a slot of the fleet before this host is changed, and remembers it
 * before each request: a cut at any point leaves no slot that nobody knows of.
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
import { type LockServer, LockTrouble } from "./server.ts";
import {
  type Refusal,
  refusalBy,
  refusalOf,
  waitFor,
  withoutSlot,
} from "./wait.ts";

/** Milliseconds from one renewal of a slot to the next: a third of its lease. */
const renewal = 20_000;

/** What a slot is needed for. */
export interface Wanted {
  use: SlotUse;
  revision: string;
}

/** A slot that is taken, until it is kept or given up. */
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
   * Makes it last, just before the host is changed.
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
      if (!(error instanceof LockTrouble)) throw error;
      // It may be kept all the same: it is given back, unless it is stuck.
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
 * Takes a slot where the configuration names a lock server.
 *
 * @returns nothing where no slot is needed.
 * @throws {SyncError} exit 0 where there is none, or the server can't be asked.
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
 * Whether an attempt would find a slot, before all its stages are done again.
 * Where the server can't tell, the slot is taken now and used by the attempt.
 *
 * @returns why not, or nothing where it would.
 */
export async function slotIsFree(
  run: Run,
  wanted: Wanted,
): Promise<SlotWait | undefined> {
  // It was taken out of the configuration meanwhile.
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
    if (!(error instanceof LockTrouble)) throw error;
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
  // Looking leaves nothing behind, so it comes before anything is remembered.
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

/** The slot that this host has already, or a new one. */
async function ownSlot(
  run: Run,
  server: LockServer,
  { use, revision }: Wanted,
): Promise<{ slot: Slot; isNew: boolean }> {
  const since = run.effects.now().toISOString();
  const known = run.state.slot;
  if (known && server.isOwn(known)) {
    // What is held from one run to the next is held for a reason.
    const stuck = known.phase === "held" ? { stuck: true as const } : {};
    return { slot: { ...known, ...stuck, use, revision }, isNew: false };
  }
  const slot = server.fresh({ use, since, revision });
  // The host is called otherwise now, or is of another group.
  if (known) await leave(run, server, known, slot);
  return { slot, isNew: true };
}

/** Gives a slot back that the configuration does not name any more. */
async function leave(
  run: Run,
  server: LockServer,
  old: Slot,
  wanted: Slot,
): Promise<void> {
  if (server.knows(old)) await asked(run, wanted, () => server.giveBack(old));
  else tellUnknown(run, old);
  await forgetSlot(run);
}

/** Says that a slot is left at a server that is not configured any more. */
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
    if (!(error instanceof LockTrouble)) throw error;
    throw await notNow(run, slot, refusalBy(error));
  }
}

async function forgetSlot(run: Run): Promise<void> {
  const { slot: _, ...state } = run.state;
  await run.replace(state as State);
}

/** Remembers the wait, for `status` and for the next run. */
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
