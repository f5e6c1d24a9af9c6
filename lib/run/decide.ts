/**
 * Decides what to do from facts alone: nothing here reads, runs or waits.
 *
 * @module
 */
import { isOpen, nextOpening } from "../base/window.ts";
import type { Config } from "../config/schema.ts";
import type {
  Backoff,
  Deployment,
  Gated,
  Hold,
  RolledBack,
  State,
  Target,
  Waiting,
} from "../state/state.ts";
import type { SlotWait } from "../state/slot.ts";
import type { BootEntry } from "../host/boot_entry.ts";
import type { Systems } from "../host/system.ts";
import { waitFor } from "./approval.ts";
import { gatedFor, type GateOptions } from "./gates.ts";
import { holdOf, isMove, isNext } from "./holding.ts";
import { rolledBackOf } from "./rolled_back.ts";
import { soakedTip } from "./soak.ts";
import { slotWaitOf } from "./slot.ts";
import { sameTarget, targetOf, testingTargetOf } from "./target.ts";
import { runningTest, testingNow } from "./testing.ts";
import { type Drift, driftNow, driftOf } from "./drift.ts";
import type { Tip } from "../base/tip.ts";

export {
  type Drift,
  driftNow,
  driftOf,
  holdOf,
  isMove,
  isNext,
  rolledBackOf,
  sameTarget,
  targetOf,
};

/** The facts for a decision. */
export interface Situation {
  /** What the remote names now. */
  tip: Tip;
  state: State;
  systems: Systems;
  /** The bootloader entry that starts another system than the deployed one. */
  misled?: BootEntry;
  target: Target;
  config:
    & Pick<Config, "drift" | "allowForcePush" | "windows.deploy" | "approval">
    & GateOptions;
  now: Date;
  /** A person asked to try now, without a pause. */
  force: boolean;
}

/** What a run does. */
export type Decision =
  | { kind: "nothing"; drift?: Drift }
  /** @property tip An earlier tip that has soaked, instead of the current one. */
  | { kind: "deploy"; tip?: Tip }
  | { kind: "correct"; drift: Drift; deployment: Deployment }
  | { kind: "held"; hold: Hold; drift?: Drift }
  | { kind: "wait"; backoff: Backoff; drift?: Drift }
  /** The built revision waits for approval, or until a time. */
  | {
    kind: "unapproved";
    waiting: Waiting;
    until: string | null;
    drift?: Drift;
  }
  /** Gates hold back the built revision, as they were found last. */
  | { kind: "gated"; gated: Gated; tip: Tip; target: Target; drift?: Drift }
  /** A person rolled the host back, and it stays there. */
  | { kind: "rolled-back"; rolledBack: RolledBack; drift?: Drift }
  /** The testing branch must be deployed: its tip and target. */
  | { kind: "test"; tip: Tip; target: Target }
  /** The test is over: the host returns to the followed ref. */
  | { kind: "test-over"; deployment: Deployment }
  /** It waits for a slot of the fleet. @property then What it does with one. */
  | { kind: "queued"; wait: SlotWait; then: Decision; drift?: Drift }
  /** @property revision What waits for the window, if it is not the tip. */
  | { kind: "outside"; opening: Opening; revision?: string; drift?: Drift };

/** When the windows open next, ISO 8601; `null`: not within two weeks. */
export type Opening = string | null;

/**
 * Decides what a run does about the tip of the ref. A build changes nothing on
 * the host, so it needs no window.
 */
export function decide(situation: Situation): Decision {
  const { target, config, state, now } = situation;
  const decision = decideAtOnce(situation);
  if (!changes(decision, situation)) return decision;
  const opening = openingOf(config["windows.deploy"], now);
  const drift = driftNow(situation);
  const about = "tip" in decision ? decision.tip : undefined;
  if (opening === undefined) {
    // A revision that gates hold back needs no slot yet.
    const wait = decision.kind === "gated"
      ? undefined
      : slotWaitOf(state, revisionOf(decision, situation));
    return wait
      ? { kind: "queued", wait, then: decision, ...drift ? { drift } : {} }
      : decision;
  }
  const revision = about === situation.tip ? undefined : about?.revision;
  // A revision that needs approval is built before the window opens.
  const isBuilt = decision.kind !== "deploy" ||
    waitFor(config, state, situation.tip, target, now) === undefined;
  if (!isBuilt) return decision;
  return {
    kind: "outside",
    opening,
    ...revision ? { revision } : {},
    ...(drift ? { drift } : {}),
  };
}

/** Returns the revision to switch to. */
function revisionOf(decision: Decision, { tip }: Situation): string {
  switch (decision.kind) {
    case "correct":
    case "test-over":
      return decision.deployment.revision;
    case "deploy":
      return (decision.tip ?? tip).revision;
    case "test":
      return decision.tip.revision;
    default:
      return tip.revision;
  }
}

/** Whether the decision changes the host. */
function changes({ kind }: Decision, { target }: Situation): boolean {
  return ["correct", "gated", "test", "test-over"].includes(kind) ||
    kind === "deploy" && target.operation !== "build";
}

/** Returns when closed windows open; `undefined` if they are open. */
export function openingOf(
  windows: readonly string[],
  now: Date,
): Opening | undefined {
  if (isOpen(windows, now)) return undefined;
  return nextOpening(windows, now)?.toISOString() ?? null;
}

/** A reboot that is due, and when, if not now. */
export interface DueReboot {
  /** What needs it, in words. */
  why: readonly string[];
  opening?: Opening;
}

/**
 * Decides whether to reboot the host: only into a system that was confirmed and
 * is still in place, and only once, so that it never reboots in a loop.
 *
 * @param changed The parts of the last good system that differ from the booted
 * one.
 * @param booted The system that was booted.
 */
export function rebootOf(
  { state, systems, misled, config, now }:
    & Pick<Situation, "state" | "systems" | "misled" | "now">
    & {
      config: Pick<Config, "reboot" | "windows.reboot">;
    },
  changed: readonly string[],
  booted: string | null,
): DueReboot | undefined {
  const { lastGood, reboot } = state;
  if (config.reboot === "never" || !lastGood || booted === null) return;
  const { system, target: { operation } } = lastGood;
  // These operations set no boot default: a reboot would start another system.
  if (operation === "test" || operation === "build") return;
  if (driftOf(lastGood, systems, misled)) return;
  // A reboot would end a test.
  if (runningTest(state, systems)) return;
  if (reboot?.system === system && reboot.result) return;
  const isOther = booted !== system &&
    (config.reboot === "always" || operation === "boot");
  const why = changed.length === 0 && isOther ? ["the system"] : changed;
  if (why.length === 0) return undefined;
  const opening = openingOf(config["windows.reboot"], now);
  return { why, ...(opening === undefined ? {} : { opening }) };
}

/** Decides what to do, without regard to windows. */
function decideAtOnce(situation: Situation): Decision {
  const { state, config } = situation;
  const drift = driftNow(situation);
  const decision = decideUnlessDrifted(situation, drift ? { drift } : {});
  const isMine = decision.kind === "deploy" || decision.kind === "test";
  // A new deployment replaces whatever runs, so drift does not matter.
  if (!drift || isMine || config.drift !== "correct") return decision;
  const { lastGood } = state;
  return lastGood && !holdOf(state, lastGood, lastGood.target, config)
    ? { kind: "correct", drift, deployment: lastGood }
    : decision;
}

/** Decides what to do for a host without drift. */
function decideUnlessDrifted(
  situation: Situation,
  extra: { drift?: Drift },
): Decision {
  const rolledBack = rolledBackOf(situation.state);
  if (rolledBack) return { kind: "rolled-back", rolledBack, ...extra };
  const followed = decideFollowed(situation, extra);
  // A test starts only if nothing else of the followed ref can be deployed.
  const mayTest = followed.kind === "nothing" || followed.kind === "held";
  return mayTest ? decideTesting(situation, extra) ?? followed : followed;
}

/** Decides what to do about the followed ref. */
function decideFollowed(
  situation: Situation,
  extra: { drift?: Drift },
): Decision {
  const { state, target, config } = situation;
  const tip = soakedTip(situation);
  const hold = holdOf(state, tip, target, config);
  if (hold) return { kind: "held", hold, ...extra };
  const done = target.operation === "build" ? state.built : state.lastGood;
  const isDeployed = done?.revision === tip.revision &&
    sameTarget(done.target, target);
  if (isDeployed) return { kind: "nothing", ...extra };
  return pauseFor(situation, tip, target, extra) ??
    { kind: "deploy", ...tip === situation.tip ? {} : { tip } };
}

/** Decides whether a revision must wait: a pause, an approval, or gates. */
function pauseFor(
  situation: Situation,
  tip: Tip,
  target: Target,
  extra: { drift?: Drift },
): Decision | undefined {
  const { state, config, now } = situation;
  const backoff = pauseOf(situation, tip);
  if (backoff) return { kind: "wait", backoff, ...extra };
  const wait = waitFor(config, state, tip, target, now);
  if (wait?.waiting) {
    const { waiting, until } = wait;
    return { kind: "unapproved", waiting, until, ...extra };
  }
  const isTest = tip.base !== undefined;
  const gated = gatedFor(config, state, tip, target, isTest);
  // A revision that needs a new approval is built again first.
  if (wait || !gated) return undefined;
  return { kind: "gated", gated, tip, target, ...extra };
}

/** Decides what to do about the testing branch; `undefined` for nothing. */
function decideTesting(
  situation: Situation,
  extra: { drift?: Drift },
): Decision | undefined {
  const { tip, state, systems, target, config } = situation;
  const { lastGood } = state;
  // With `build` the host is never changed.
  if (!lastGood || target.operation === "build") return undefined;
  switch (testingNow(state, tip)) {
    case "over":
      // If only a reboot starts the followed ref, that reboot ends the test too.
      return runningTest(state, systems) && runsNow(lastGood)
        ? { kind: "test-over", deployment: lastGood }
        : undefined;
    case "done": {
      const hold = tip.testing &&
        holdOf(state, tip.testing, testTargetOf(target, tip.testing), config);
      return hold ? { kind: "held", hold, ...extra } : undefined;
    }
    case "new": {
      const { servedBy } = tip;
      const test: Tip = {
        ...tip.testing!,
        base: tip.revision,
        ...servedBy ? { servedBy } : {},
      };
      const testing = testTargetOf(target, test);
      // A blocked one may no longer descend from the ref; the fetch checks that.
      return pauseFor(situation, test, testing, extra) ??
        { kind: "test", tip: test, target: testing };
    }
  }
}

const runsNow = ({ target: { operation } }: Deployment) =>
  operation === "switch" || operation === "test";

const testTargetOf = (target: Target, { name }: Tip) =>
  testingTargetOf(target, name);

function pauseOf(
  { state, now, force }: Situation,
  tip: Tip,
): Backoff | undefined {
  const { backoff } = state;
  if (backoff?.revision !== tip.revision || force) return undefined;
  const left = Date.parse(backoff.notBefore) - now.getTime();
  // A clock that was far ahead must not stop a host for ever.
  const most = Math.max(longestPause * (1 + spread), backoff.asked ?? 0);
  return left > 0 && left <= most ? backoff : undefined;
}

/** The longest pause in milliseconds, and how far each may be off. */
const longestPause = 3_600_000, spread = 0.2;

/** The longest pause that a server may ask for: a day. */
export const longestAsked = 24 * 3_600_000;

/**
 * Returns how long to wait after a number of temporary failures in a row. There
 * is no wait after the first, then a minute, doubled each time up to an hour,
 * plus or minus a fifth so that hosts do not act in step.
 *
 * @param chance A number from 0 to 1.
 * @returns milliseconds
 */
export function backoffAfter(failures: number, chance: number): number {
  if (failures <= 1) return 0;
  const pause = Math.min(longestPause, 60_000 * 2 ** (failures - 2));
  return Math.round(pause * (1 - spread + 2 * spread * chance));
}
