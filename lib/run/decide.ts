/**
 * What to do, decided from facts alone: nothing here reads, runs or waits.
 *
 * @module
 */
import { isOpen, nextOpening } from "../base/window.ts";
import type { Config } from "../config/schema.ts";
import type {
  Backoff,
  Deployment,
  Hold,
  State,
  Target,
} from "../state/state.ts";
import type { BootEntry } from "../host/boot_entry.ts";
import type { Systems } from "../host/system.ts";
import { isSame, type Known } from "./same.ts";
import type { Tip } from "../base/tip.ts";

/** The facts that a decision rests on. */
export interface Situation {
  /** What the remote names now. */
  tip: Tip;
  state: State;
  systems: Systems;
  /** The bootloader that starts another system than was deployed. */
  misled?: BootEntry;
  target: Target;
  config: Pick<Config, "drift" | "allowForcePush" | "windows.deploy">;
  now: Date;
  /** A person asked to try now, whatever the pause. */
  force: boolean;
}

/** The host is not what was confirmed last: somebody switched by hand. */
export interface Drift {
  /** Which of the two links differs, or what the bootloader starts. */
  what: "running system" | "boot default" | "boot entry";
  expected: string;
  actual: string | null;
}

/** What a run does. */
export type Decision =
  | { kind: "nothing"; drift?: Drift }
  | { kind: "deploy" }
  | { kind: "correct"; drift: Drift; deployment: Deployment }
  | { kind: "held"; hold: Hold; drift?: Drift }
  | { kind: "wait"; backoff: Backoff; drift?: Drift }
  | { kind: "outside"; opening: Opening; drift?: Drift };

/** When the windows open next, ISO 8601; `null`: not that one could see. */
export type Opening = string | null;

/**
 * Decides what a run does about the revision that the remote names. Building
 * alone changes nothing, and so needs no window.
 */
export function decide(situation: Situation): Decision {
  const { target, config, now } = situation;
  const decision = decideAtOnce(situation);
  const changes = decision.kind === "correct" ||
    decision.kind === "deploy" && target.operation !== "build";
  if (!changes) return decision;
  const opening = openingOf(config["windows.deploy"], now);
  if (opening === undefined) return decision;
  const drift = driftOf(
    situation.state.lastGood,
    situation.systems,
    situation.misled,
  );
  return { kind: "outside", opening, ...(drift ? { drift } : {}) };
}

/** When windows that are closed now open; `undefined` where they are open. */
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
 * Decides whether the host is to be rebooted: only into a system that was
 * confirmed and is still in place, and only once, lest it goes on for ever.
 *
 * @param changed What of the last good system is not what was booted.
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
  // A boot default that was not set does not survive it.
  if (operation === "test" || operation === "build") return;
  if (driftOf(lastGood, systems, misled)) return;
  if (reboot?.system === system && reboot.result) return;
  const isOther = booted !== system &&
    (config.reboot === "always" || operation === "boot");
  const why = changed.length === 0 && isOther ? ["the system"] : changed;
  if (why.length === 0) return undefined;
  const opening = openingOf(config["windows.reboot"], now);
  return { why, ...(opening === undefined ? {} : { opening }) };
}

/** What would be done if there were no windows. */
function decideAtOnce(situation: Situation): Decision {
  const { tip, state, target, config } = situation;
  const drift = driftOf(state.lastGood, situation.systems, situation.misled);
  const extra = drift ? { drift } : {};
  const done = target.operation === "build" ? state.built : state.lastGood;
  const isDeployed = done?.revision === tip.revision &&
    sameTarget(done.target, target);
  const hold = holdOf(state, tip, target, config);
  const backoff = pauseOf(situation);
  if (!isDeployed && !hold && !backoff) return { kind: "deploy" };
  if (
    drift && config.drift === "correct" &&
    !holdOf(state, state.lastGood!, state.lastGood!.target, config)
  ) {
    return { kind: "correct", drift, deployment: state.lastGood! };
  }
  if (hold) return { kind: "held", hold, ...extra };
  if (isDeployed) return { kind: "nothing", ...extra };
  return { kind: "wait", backoff: backoff!, ...extra };
}

/** The hold on a commit, unless the configuration has lifted its reason. */
export function holdOf(
  state: Pick<State, "holds">,
  commit: Known,
  target: Target,
  config: Pick<Config, "allowForcePush">,
): Hold | undefined {
  const hold = state.holds.find((one) =>
    isSame(one, commit) && sameTarget(one.target, target)
  );
  const lifted = hold && isMove(hold) && config.allowForcePush;
  return lifted ? undefined : hold;
}

const moves = ["not-forward", "repository-replaced", "tag-moved"];

/** Whether a hold is about where the ref was moved, and nothing else. */
export function isMove({ reason }: Pick<Hold, "reason">): boolean {
  return moves.includes(reason);
}

/** Whether a hold is about nothing but whether the next commit arrives. */
export function isNext({ reason }: Pick<Hold, "reason">): boolean {
  return reason.startsWith("next-");
}

function pauseOf({ state, tip, now, force }: Situation): Backoff | undefined {
  const { backoff } = state;
  if (backoff?.revision !== tip.revision || force) return undefined;
  const left = Date.parse(backoff.notBefore) - now.getTime();
  // What is left of a clock that was far ahead must not stop a host for ever.
  const most = Math.max(longestPause * (1 + spread), backoff.asked ?? 0);
  return left > 0 && left <= most ? backoff : undefined;
}

/** How the host differs from what was confirmed last, if it does. */
export function driftOf(
  lastGood: Deployment | undefined,
  systems: Systems,
  misled?: BootEntry,
): Drift | undefined {
  if (!lastGood) return undefined;
  const expected = lastGood.system;
  const { operation } = lastGood.target;
  const runs = operation === "switch" || operation === "test";
  const boots = operation === "switch" || operation === "boot";
  if (runs && systems.running !== expected) {
    return { what: "running system", expected, actual: systems.running };
  }
  if (boots && systems.bootDefault !== expected) {
    return { what: "boot default", expected, actual: systems.bootDefault };
  }
  if (boots && misled) {
    return { what: "boot entry", expected, actual: misled.system };
  }
  return undefined;
}

/** What a configuration makes of a revision. */
export function targetOf(config: Config): Target {
  const { repository, ref, directory, host, operation } = config;
  return { repository, ref, directory, host, operation };
}

/** Whether two targets make the same system of the same revision. */
export function sameTarget(a: Target, b: Target): boolean {
  return a.repository === b.repository && a.ref === b.ref &&
    a.directory === b.directory && a.host === b.host &&
    a.operation === b.operation;
}

/** The longest pause in milliseconds, and how far each may be off. */
const longestPause = 3_600_000, spread = 0.2;

/** The longest pause that a server may ask for: a day. */
export const longestAsked = 24 * 3_600_000;

/**
 * How long to wait after a number of failures in a row that may pass by
 * themselves: not at all after the first, then a minute, doubled each time up
 * to an hour, and a fifth more or less so that hosts do not act in step.
 *
 * @param chance A number from 0 to 1.
 * @returns milliseconds
 */
export function backoffAfter(failures: number, chance: number): number {
  if (failures <= 1) return 0;
  const pause = Math.min(longestPause, 60_000 * 2 ** (failures - 2));
  return Math.round(pause * (1 - spread + 2 * spread * chance));
}
