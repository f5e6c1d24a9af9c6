/**
 * One reconciliation: bring this host to what the remote names, or leave it as
 * it is and say why. What a run with nothing to do needs is here; everything
 * else is loaded when it is needed.
 *
 * @module
 */
import { type Command, type Effects, say } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { short } from "../base/text.ts";
import type { Config } from "../config/schema.ts";
import { tellsAny, tellsEvents } from "../config/told.ts";
import { isCounted } from "../host/boot_count.ts";
import { hasCounters } from "../host/boot_entry.ts";
import { type Lock, takeLock } from "../host/lock.ts";
import type { State } from "../state/state.ts";
import { readSuspension } from "../state/suspension.ts";
import { bootId, runningSystem } from "../host/system.ts";
import { isPattern } from "../config/tag_pattern.ts";
import { type Decision, rolledBackOf, targetOf } from "../run/decide.ts";
import { decideNow, isAside, isRest, testOf } from "./decision.ts";
import { leftAlone } from "../run/quiet.ts";
import { askOrRecord } from "./ask.ts";
import { moved } from "../run/followed.ts";
import type { Found, Outcome } from "./outcome.ts";
import type { Record } from "../run/run.ts";
import { readState, writeState } from "../state/state_file.ts";
import type { Tip } from "../base/tip.ts";

/** What a person asked for beyond the configuration. */
export interface Wishes {
  /** Try now, whatever the pause after a failure. */
  force: boolean;
  /** Forget holds and pauses first. */
  retry: boolean;
  /** Wait for another run to end. */
  wait?: boolean;
}

/**
 * Called where a run had nothing to do.
 *
 * @param question What the remote was asked, and what it answered.
 */
type Settle = (
  question: Command,
  answer: string,
  outcome: Outcome,
) => Promise<void>;

/**
 * Does one reconciliation under the lock.
 *
 * @param settled Called where there is nothing to do.
 * @throws {SyncError} where it can't even begin: locked, unreadable state.
 */
export async function reconcile(
  effects: Effects,
  config: Config,
  wishes: Wishes,
  recordOnly: Record,
  settled?: Settle,
): Promise<Outcome> {
  const folder = config.stateDirectory;
  // Loaded when there is something to record, which most runs have not.
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
    const ended = await comeToOutcome(effects, config, wishes, record, settled);
    await alertAfter(effects, config, ended.outcome);
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

/** @returns how it ended, and whether what comes last may be done. */
async function comeToOutcome(
  effects: Effects,
  config: Config,
  wishes: Wishes,
  record: Record,
  settled?: Settle,
): Promise<{ outcome: Outcome; mayFinish: boolean }> {
  const before = await whatIsLeft(effects, config, wishes, record);
  if (before.outcome) return { outcome: before.outcome, mayFinish: false };
  const refused = leftAlone(before.state, config.repository, effects.now());
  // A mirror may be asked all the same (lib/git/sources.ts).
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
  const force = wishes.force || wishes.retry;
  const decision = decideNow(effects, config, state, tip, force);
  if (decision.kind === "nothing" && state.lastGood?.unwell) {
    const { lookAgain } = await import("./unwell.ts");
    const found = await lookAgain(effects, config, state);
    if (found.outcome) return { outcome: found.outcome, mayFinish: false };
    state = found.state;
  }
  const isSettled = isRest(decision) &&
    !await isRebootDue(effects, config, state);
  const outcome = await act(effects, config, state, tip, decision, record);
  // A run that is done before it begins starts no units.
  const mayRest = isSettled && config.onSuccess.length === 0 &&
    !await mustDeliver(config);
  if (mayRest && question) await settled?.(question, answer, outcome);
  if (!isAside(outcome)) return { outcome, mayFinish: !isSettled };
  say(effects, "notice", outcome.error.message, outcome.error.hints);
  // The followed ref counts again, and what ran of the testing branch goes.
  state = await readState(config.stateDirectory);
  const then = decideNow(effects, config, state, tip, force);
  return {
    outcome: await act(effects, config, state, tip, then, record),
    mayFinish: true,
  };
}

/** Whether messages wait that no other than the next run delivers. */
async function mustDeliver(config: Config): Promise<boolean> {
  if (config["notify.by"] !== "run" || !tellsAny(config)) return false;
  const { isWaiting } = await import("../notify/spool.ts");
  return isWaiting(config.stateDirectory);
}

/** What earlier runs, reboots and people have left comes before any remote. */
async function whatIsLeft(
  effects: Effects,
  config: Config,
  wishes: Wishes,
  record: Record,
): Promise<Found> {
  const folder = config.stateDirectory;
  let state = await readState(folder);
  const suspension = readSuspension(folder, effects.now());
  // The boot's id is read by a program: once is enough.
  let boot: string | undefined;
  const unproven = () => isUnproven(state, () => boot ??= bootId());
  const isLeft = state.attempt !== undefined ||
    (state.reboot !== undefined && !state.reboot.result) ||
    (!suspension && unproven());
  if (isLeft && await mustWait(effects)) {
    return { outcome: { result: "starting" } };
  }
  if (state.unwritten) {
    const { writeWaiting } = await import("../state/unwritten.ts");
    state = await writeWaiting(effects, folder, state);
  }
  if (state.attempt) {
    const { recoverFirst } = await import("./recover.ts");
    state = await recoverFirst(effects, config, state, record);
  }
  if (state.reboot && !state.reboot.result) {
    const { afterReboot } = await import("./reboot.ts");
    const found = await afterReboot(effects, config, state, record);
    if (found.outcome) return found;
    state = found.state;
  }
  // A person's word to stay is not taken back by the way.
  const stays = suspension !== undefined || rolledBackOf(state) !== undefined;
  if (wishes.retry && !stays) {
    const { forget } = await import("./forget.ts");
    state = await forget(folder, state, effects.now());
  }
  if (suspension || !unproven()) await bless(effects, config, state);
  if (suspension) return { outcome: { result: "suspended", suspension } };
  if (mayHaveFallenBack(state)) {
    const { afterFallback } = await import("./boot_counting.ts");
    return await afterFallback(effects, config, state, record);
  }
  if (!unproven()) return { state };
  const { proveBoot } = await import("./booted.ts");
  return await proveBoot(effects, config, state, record);
}

/** A host that is suspended must not lose its system to the bootloader. */
async function bless(
  effects: Effects,
  config: Config,
  state: State,
): Promise<void> {
  // The firmware is asked by a program, which few hosts need.
  if (!hasCounters() || !isCounted()) return;
  const { blessIfWell } = await import("./boot_counting.ts");
  await blessIfWell(effects, config, state);
}

/** Whether a boot came up without the last good system, unlooked at. */
function mayHaveFallenBack({ lastGood }: State): boolean {
  return lastGood !== undefined && !lastGood.booted &&
    lastGood.target.operation !== "test" &&
    lastGood.system !== runningSystem() && lastGood.boot !== bootId();
}

/** Whether the host is not yet to be changed, or judged. */
async function mustWait(effects: Effects): Promise<boolean> {
  const { isDeferred } = await import("./starting.ts");
  return await isDeferred(effects);
}

/** Whether this is the first boot with the last good system, unlooked at. */
function isUnproven(
  { lastGood, reboot }: State,
  boot: () => string,
): boolean {
  return lastGood !== undefined && !lastGood.booted &&
    lastGood.boot !== boot() && lastGood.system === runningSystem() &&
    // A reboot that a run asked for is looked at by itself.
    reboot?.system !== lastGood.system;
}

async function act(
  effects: Effects,
  config: Config,
  state: State,
  tip: Tip,
  decision: Decision,
  record: Record,
): Promise<Outcome> {
  const { kind } = decision;
  const isChange = ["deploy", "correct", "test", "test-over"].includes(kind);
  if (isChange && await mustWait(effects)) {
    return { result: "starting" };
  }
  switch (decision.kind) {
    case "nothing":
      return {
        result: "in-sync",
        revision: tip.revision,
        ...(decision.drift ? { drift: decision.drift } : {}),
        ...testOf(state),
      };
    case "held": {
      const { kind: _, ...held } = decision;
      return { result: "held", ...held };
    }
    case "wait": {
      const { kind: _, ...waiting } = decision;
      return { result: "waiting", ...waiting };
    }
    case "outside": {
      const { kind: _, ...outside } = decision;
      return { result: "outside", revision: tip.revision, ...outside };
    }
    case "rolled-back": {
      const { kind: _, ...stays } = decision;
      return { result: "stays", ...stays, deployment: state.lastGood! };
    }
    case "unapproved": {
      const { kind: _, ...unapproved } = decision;
      return { result: "unapproved", ...unapproved };
    }
    case "deploy":
    case "test": {
      const { attemptDeploy } = await import("./attempt.ts");
      const [what, target] = decision.kind === "test"
        ? [decision.tip, decision.target]
        : [tip, targetOf(config)];
      return await attemptDeploy(effects, config, state, what, target, record);
    }
    case "correct":
    case "test-over": {
      const { attemptPut } = await import("./attempt.ts");
      const { deployment } = decision;
      const result = decision.kind === "correct" ? "corrected" : "test-over";
      return await attemptPut(effects, config, state, deployment, record, {
        result,
      });
    }
  }
}

/** Whether a reboot is due, now or in a window to come. */
async function isRebootDue(
  effects: Effects,
  config: Config,
  state: State,
): Promise<boolean> {
  if (config.reboot === "never") return false;
  const { dueReboot } = await import("./reboot.ts");
  return dueReboot(config, state, effects.now()) !== undefined;
}

/** What ended so has not come to the end of what a run does. */
const resting = ["failed", "interrupted", "built", "starting", "unapproved"];

/**
 * What comes after everything else, where the host is as it should be. Cut
 * short by a person or systemd, it changes nothing of how the run ended.
 */
async function finishUp(
  effects: Effects,
  config: Config,
  outcome: Outcome,
): Promise<void> {
  const { result } = outcome;
  if (resting.includes(result)) return;
  try {
    if (config.garbageCollect && "run" in outcome) {
      const { collect } = await import("../nix/retention.ts");
      await collect(effects);
    }
    if (config.reboot === "never") return;
    const { rebootIfDue } = await import("./reboot.ts");
    await rebootIfDue(effects, config);
  } catch (error) {
    const isCut = error instanceof SyncError && error.reason === "interrupted";
    if (!isCut) throw error;
    say(effects, "warning", error.message);
  }
}

/** Writes down what the remote names, and whom to leave alone, if that is news. */
async function remember(
  effects: Effects,
  config: Config,
  state: State,
  tip: Tip,
  quiet: State["quiet"],
): Promise<State> {
  const { seen, last } = state;
  const isNews = seen?.revision !== tip.revision || seen.ref !== config.ref ||
    seen.servedBy !== tip.servedBy;
  const wasUnreached = last?.stage === "decide";
  const isAsBefore = JSON.stringify(quiet) === JSON.stringify(state.quiet);
  const isOver = wasUnreached || state.unreached !== undefined;
  if (!isNews && !isOver && isAsBefore) return state;
  tellMovedTag(effects, seen, config.ref, tip);
  const { last: _, quiet: __, ...rest } = isOver
    ? await endSpell(effects, config.stateDirectory, state)
    : state;
  const next: State = {
    ...rest,
    ...(last && !wasUnreached ? { last } : {}),
    ...(quiet ? { quiet } : {}),
    seen: {
      ref: config.ref,
      revision: tip.revision,
      kind: tip.kind,
      ...isPattern(config.ref) ? { name: tip.name } : {},
      ...tip.servedBy ? { servedBy: tip.servedBy } : {},
      at: effects.now().toISOString(),
    },
  };
  await writeState(config.stateDirectory, next);
  return next;
}

/** Loaded only where the remote was away. */
async function endSpell(
  effects: Effects,
  folder: string,
  state: State,
): Promise<State> {
  const { withoutSpell } = await import("./unreached.ts");
  return await withoutSpell(effects, folder, state);
}

/** Tags are made to stay: one that moved is told, however it moved. */
function tellMovedTag(
  effects: Effects,
  seen: State["seen"],
  ref: string,
  tip: Tip,
): void {
  if (seen?.ref !== ref || seen.revision === tip.revision) return;
  if (seen.kind !== "tag" && tip.kind !== "tag") return;
  // A pattern names another tag, which is no move.
  if (isPattern(ref) && seen.name !== tip.name) return;
  const from = short(seen.revision), to = short(tip.revision);
  const what = moved(ref, seen.kind, tip.kind);
  say(effects, "warning", `${what} from ${from} to ${to}`);
}
