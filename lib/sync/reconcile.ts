/**
 * One reconciliation: deploys the tip of the ref to this host, or leaves the host
 * unchanged and reports why. This file has what a run with nothing to do needs;
 * everything else is loaded when it is needed.
 *
 * @module
 */
import { type Command, type Effects, say } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import type { Tip } from "../base/tip.ts";
import type { Config } from "../config/schema.ts";
import { tellsAny, tellsEvents } from "../config/told.ts";
import { type Lock, takeLock } from "../host/lock.ts";
import type { Decision } from "../run/decide.ts";
import { hasLock } from "../run/slot.ts";
import { leftAlone } from "../run/quiet.ts";
import type { Record } from "../run/run.ts";
import type { State } from "../state/state.ts";
import { readState } from "../state/state_file.ts";
import { act } from "./act.ts";
import { askOrRecord } from "./ask.ts";
import { decideNow, isAside, isOpened, isRest } from "./decision.ts";
import { finishUp, isRebootDue } from "./finish.ts";
import type { Heeded } from "./notes.ts";
import { whatIsLeft } from "./left.ts";
import type { Outcome } from "./outcome.ts";
import { remember } from "./remember.ts";
import type { Wishes } from "./wishes.ts";

export type { Wishes };

/**
 * Called if a run had nothing to do.
 *
 * @param question The query to the remote; `answer` is its answer.
 */
type Settle = (
  question: Command,
  answer: string,
  outcome: Outcome,
) => Promise<void>;

/**
 * Does one reconciliation under the lock.
 *
 * @param settled Called if there is nothing to do.
 * @throws {SyncError} if it cannot begin: locked, unreadable state.
 */
export async function reconcile(
  effects: Effects,
  config: Config,
  wishes: Wishes,
  recordOnly: Record,
  settled?: Settle,
): Promise<Outcome> {
  const folder = config.stateDirectory;
  // Loaded only if there is something to record, which is rare.
  const record: Record = async (run, ended) => {
    const { recordWithHooks } = await import("../activation/hooks.ts");
    await recordWithHooks(recordOnly, run, ended);
  };
  using _lock = await lockFor(effects, folder, wishes);
  if (config.machineId !== undefined) {
    const { refuseOtherMachine } = await import("./machine.ts");
    refuseOtherMachine(config.machineId);
  }
  const { alertAfter, alertError } = await import("./alerts.ts");
  const tell = async (how: { outcome: Outcome } | { error: SyncError }) => {
    const { tellLasting } = await import("./lasting.ts");
    await tellLasting(effects, config, how);
  };
  try {
    const ended = await decideAndAct(effects, config, wishes, record, settled);
    await alertAfter(effects, config, ended.outcome);
    if (hasLock(config) && "run" in ended.outcome) {
      const { slotAtEnd } = await import("./slot.ts");
      await slotAtEnd(effects, config);
    }
    if (tellsEvents(config)) await tell({ outcome: ended.outcome });
    if (ended.mayFinish) await finishUp(effects, config, ended.outcome);
    return ended.outcome;
  } catch (error) {
    if (error instanceof SyncError) {
      await alertError(effects, config, error);
      if (tellsEvents(config)) await tell({ error });
    }
    throw error;
  }
}

async function lockFor(
  effects: Effects,
  folder: string,
  { wait }: Wishes,
): Promise<Lock> {
  const take = () => takeLock(folder, "sync", effects.now().getTime());
  if (!wait) return await take();
  const { waitForLock } = await import("./wait_for_lock.ts");
  return await waitForLock(effects, take);
}

/**
 * Checks what is left of earlier runs, queries the remote, decides and acts.
 *
 * @returns the outcome, and whether garbage collection and reboots may follow.
 */
async function decideAndAct(
  effects: Effects,
  config: Config,
  wishes: Wishes,
  record: Record,
  settled?: Settle,
): Promise<{ outcome: Outcome; mayFinish: boolean }> {
  const before = await whatIsLeft(effects, config, wishes, record);
  if (before.outcome) {
    // Early in a boot there may be no network yet.
    if (before.outcome.result !== "starting") {
      await slotAfterOutcome(effects, config);
    }
    return { outcome: before.outcome, mayFinish: false };
  }
  if (before.state.slot) {
    const { giveBackSlot } = await import("../locks/give_back.ts");
    before.state = await giveBackSlot(effects, config, before.state, false);
  }
  const refused = leftAlone(before.state, config.repository, effects.now());
  // A mirror may be queried nevertheless (lib/git/sources.ts).
  if (refused && config.mirrors.length === 0) {
    return { outcome: { result: "failed", error: refused }, mayFinish: false };
  }
  const asked = await askOrRecord(effects, config, before.state);
  if (asked.outcome) return { outcome: asked.outcome, mayFinish: false };
  const { tip, question, answer, quiet } = asked;
  let state = await remember(effects, config, before.state, tip, quiet);
  if (state.waiting) {
    const { anchorWait } = await import("./waiting.ts");
    state = await anchorWait(effects, config, state);
  }
  if (config["gates.soak"] !== undefined) {
    const { seeTip } = await import("./sightings.ts");
    state = await seeTip(effects, config, state, tip);
  }
  const heeded = await withNotes(effects, config, state, tip, asked.notes);
  state = heeded.state;
  const force = wishes.force || wishes.retry;
  const decision = decideNow(effects, config, state, tip, force);
  if (state.slot || state.slotWait) {
    const { slotAfterDecision } = await import("./slot.ts");
    state = await slotAfterDecision(effects, config, state, decision);
  }
  if (decision.kind === "nothing" && state.lastGood?.unwell) {
    const { checkAgain } = await import("./unhealthy.ts");
    const found = await checkAgain(effects, config, state);
    if (found.outcome) return { outcome: found.outcome, mayFinish: false };
    state = found.state;
  }
  const isIdle = isRest(decision) &&
    !await isRebootDue(effects, config, state);
  const actOn = (state: State, decision: Decision) =>
    act(effects, config, state, tip, decision, record, wishes);
  const outcome = await actOn(state, decision);
  const isStable = isIdle && !isOpened(decision, outcome);
  // The shortcut starts no units, and does not write what is still unwritten.
  const isWritten = !state.unwritten && !state.untold;
  const mayUseShortcut = isStable && isWritten && heeded.isWhole &&
    state.slot === undefined &&
    config.onSuccess.length === 0 &&
    !await mustDeliver(config);
  if (mayUseShortcut && question) await settled?.(question, answer, outcome);
  if (!isAside(outcome)) return { outcome, mayFinish: !isStable };
  say(effects, "notice", outcome.error.message, outcome.error.hints);
  // The followed ref applies again, and a running test ends.
  state = await readState(config.stateDirectory);
  const then = decideNow(effects, config, state, tip, force);
  return {
    outcome: await actOn(state, then),
    mayFinish: true,
  };
}

/** Applies signed notes of the repository; loaded only if there may be some. */
async function withNotes(
  effects: Effects,
  config: Config,
  state: State,
  tip: Tip,
  notes: string | undefined,
): Promise<Heeded> {
  if (notes === undefined) return { state, isWhole: true };
  const { heedNotes } = await import("./notes.ts");
  return await heedNotes(effects, config, state, tip, notes);
}

/** Releases the slot after any outcome, so that other hosts do not wait. */
async function slotAfterOutcome(
  effects: Effects,
  config: Config,
): Promise<void> {
  if (!hasLock(config)) return;
  const { slotAtEnd } = await import("./slot.ts");
  await slotAtEnd(effects, config);
}

/** Returns whether there are messages that only the next run delivers. */
async function mustDeliver(config: Config): Promise<boolean> {
  if (config["notify.by"] !== "run" || !tellsAny(config)) return false;
  const { isWaiting } = await import("../notify/spool.ts");
  return isWaiting(config.stateDirectory);
}
