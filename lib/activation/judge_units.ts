/**
 * The rule for what of a host's units is a candidate's fault: what ran before
 * and is still wanted has to run, and what the candidate brings has to start.
 * What comes of chance beside the switch is told, and nobody's fault.
 *
 * @module
 */
import { isOfAny } from "../base/pattern.ts";
import type { UnitState } from "../host/units.ts";
import type { UnitsBefore } from "../run/standing.ts";
import { type Said } from "./switch_words.ts";

/** What units are judged by. */
export interface Grounds extends UnitsBefore {
  /** Whether the system that runs now installs a unit. */
  readonly isInstalled: (unit: string) => boolean;
  /** Whether the two systems differ in what they say of a unit. */
  readonly isChanged: (unit: string) => boolean;
  /** The patterns of `health.ignoreUnits`. */
  readonly ignored: readonly string[];
  /** What the switch said. */
  readonly said: Said;
}

/** Something about a unit. */
export interface Finding {
  unit: string;
  /** Findings of one kind are told together. */
  kind: Kind;
  /** What the switch said of it, if it did. */
  line?: string;
}

/** The kinds of findings, with how one unit and how several are told. */
export const kinds = {
  failed: ["failed", "failed"],
  restarting: ["keeps failing", "keep failing"],
  stopped: ["is no longer running", "are no longer running"],
  "not-loaded": ["cannot be loaded", "cannot be loaded"],
  assertion: [
    "did not start, because an assertion failed",
    "did not start, because an assertion failed",
  ],
  named: [
    "could not be started, stopped or reloaded",
    "could not be started, stopped or reloaded",
  ],
  user: ["failed for its user", "failed for their users"],
  starting: ["is still starting", "are still starting"],
} as const;

/** One of them. */
export type Kind = keyof typeof kinds;

/** What a look at all units comes to. */
export interface Verdict {
  /** What is not well, and is the candidate's fault. */
  ills: Finding[];
  /** What has yet to start or stop. */
  starting: Finding[];
  /** What is not well, and nobody's fault as far as can be told. */
  chances: Finding[];
}

/** Judges all units at one moment. */
export function judgeUnits(
  units: readonly UnitState[],
  grounds: Grounds,
): Verdict {
  const verdict: Verdict = { ills: [], starting: [], chances: [] };
  const all = new Map(units.map((unit) => [unit.name, unit]));
  for (const unit of units) {
    const kind = kindOf(unit, all, grounds);
    if (!kind) continue;
    const line = grounds.said.failed.get(unit.name);
    const finding = { unit: unit.name, kind, ...line ? { line } : {} };
    if (isOurs(unit.name) || isIgnored(unit.name, grounds.ignored)) continue;
    if (!isFault(unit, kind, grounds)) verdict.chances.push(finding);
    else if (kind === "starting") verdict.starting.push(finding);
    else verdict.ills.push(finding);
  }
  // What is starting or unwell beside the candidate is no news.
  verdict.chances = verdict.chances.filter(({ kind }) => kind === "failed");
  verdict.ills.push(...namedAlone(all, grounds), ...usersOf(grounds));
  return verdict;
}

/** Whether a unit belongs to what a system can be blamed for at all. */
export function isJudged(
  unit: UnitState,
  { isInstalled, ignored }: Pick<Grounds, "isInstalled" | "ignored">,
): boolean {
  return !isOurs(unit.name) && !isIgnored(unit.name, ignored) &&
    !unit.transient && !/\.(scope|slice|device)$/.test(unit.name) &&
    (unit.source === "/etc/fstab" || isInstalled(unit.name));
}

/** Our own units are judged where they ran. */
const isOurs = (unit: string) => unit.startsWith("gitops-sync");

/** Whether a unit's name is of a pattern of `health.ignoreUnits`. */
export function isIgnored(unit: string, ignored: readonly string[]): boolean {
  return isOfAny(ignored, unit);
}

/** What is not well with a unit, whoever's fault it is. */
function kindOf(
  unit: UnitState,
  all: ReadonlyMap<string, UnitState>,
  grounds: Grounds,
): Kind | undefined {
  if (unit.load === "masked") return undefined;
  if (unit.active === "failed") return "failed";
  const wanted = isWanted(unit, all, grounds);
  if (unit.load !== "loaded") {
    return wanted && isNeeded(unit, grounds) ? "not-loaded" : undefined;
  }
  if (unit.active === "active") {
    return isUnhandled(unit, grounds) ? "named" : undefined;
  }
  if (unit.active !== "inactive" || unit.hasJob) return "starting";
  if (unit.failedAssertion) {
    return wanted || grounds.ran.has(unit.name) ? "assertion" : undefined;
  }
  if (unit.failedCondition) return undefined;
  if (grounds.said.failed.has(unit.name)) return "named";
  return grounds.ran.has(unit.name) && wanted && !isAtRest(unit, all)
    ? "stopped"
    : undefined;
}

/**
 * Whether the switch could not handle a unit that is active all the same: it
 * goes on as it was. One that could not be started at first, and has come up
 * since by itself, is well.
 */
function isUnhandled(
  { name, invocation }: UnitState,
  { said, ran }: Grounds,
): boolean {
  const line = said.failed.get(name);
  if (line === undefined) return false;
  return !/Failed to (re)?start/.test(line) || ran.get(name) === invocation;
}

/**
 * Whether something that is there, or was and has to be, wants a unit. Devices
 * and sessions come and go.
 *
 * @param seen The units on the way to this one: they may want each other.
 */
function isWanted(
  unit: UnitState,
  all: ReadonlyMap<string, UnitState>,
  grounds: Grounds,
  seen: readonly string[] = [],
): boolean {
  return wantersOf(unit).some((name) => {
    const by = all.get(name);
    if (!by || /\.(device|scope)$/.test(name) || seen.includes(name)) {
      return false;
    }
    if (by.active !== "inactive") return true;
    return grounds.ran.has(name) && by.load === "loaded" &&
      isWanted(by, all, grounds, [...seen, unit.name]);
  });
}

/** The units that have it started with them. */
const wantersOf = ({ wantedBy, requiredBy }: UnitState) => [
  ...wantedBy,
  ...requiredBy,
];

/**
 * Whether it matters that a unit is not there: to be named in `Wants=` is no
 * more than a wish, which systemd passes over. A system that says itself that
 * it is to be started means more.
 */
function isNeeded(
  { name, load, requiredBy }: UnitState,
  { isInstalled }: Grounds,
): boolean {
  return load !== "not-found" || isInstalled(name) ||
    requiredBy.some(isInstalled);
}

/** Whether a unit is idle and has every right to be. */
function isAtRest(
  unit: UnitState,
  all: ReadonlyMap<string, UnitState>,
): boolean {
  if (unit.result !== "success" && unit.result !== "") return false;
  if (unit.type === "oneshot" && !unit.remains) return true;
  return unit.triggeredBy.some((name) => all.get(name)?.active === "active");
}

/** Whether what is not well is to be blamed on the candidate. */
function isFault(unit: UnitState, kind: Kind, grounds: Grounds): boolean {
  const { name } = unit;
  if (grounds.failed.has(name) || wasAbsent(unit, grounds)) return false;
  const isJudgable = isJudged(unit, grounds) ||
    // A system can't install what is missing from it.
    (unit.load === "not-found" && !unit.transient);
  if (!isJudgable) return false;
  if (kind === "starting") {
    if (grounds.flapping.has(name)) return false;
    // A timer may set off long jobs, and so may a new one, or a person.
    const isAside = grounds.starting.has(name) || isOnDemand(unit);
    if (isAside && !grounds.said.handled.has(name)) return false;
  }
  return !isChance(unit, grounds);
}

/** Whether a unit is not there, and was not before: it may come by and by. */
function wasAbsent(
  { name, load }: UnitState,
  { absent, ran }: Grounds,
): boolean {
  return load === "not-found" && !ran.has(name) &&
    (absent === undefined || absent.has(name));
}

/** Whether a unit is started by what happens, and not with the system. */
function isOnDemand(unit: UnitState): boolean {
  return unit.triggeredBy.length > 0 || wantersOf(unit).length === 0;
}

/**
 * Whether a unit was set off by something else than the switch, which neither
 * changed nor started it: a timer, a request to a socket or over D-Bus, or a
 * person.
 */
export function isChance(
  unit: UnitState,
  { said, ran, isChanged }: Grounds,
): boolean {
  const { name, triggeredBy } = unit;
  if (!isOnDemand(unit) || said.handled.has(name)) return false;
  if (said.failed.has(name) || isChanged(name)) return false;
  return !ran.has(name) || triggeredBy.some((by) => by.endsWith(".timer"));
}

/** What the switch names as failed, and systemd does not know at all. */
function namedAlone(
  all: ReadonlyMap<string, UnitState>,
  { said, failed, ignored }: Grounds,
): Finding[] {
  return [...said.failed].filter(([unit]) =>
    !all.has(unit) && !/Failed to stop/.test(said.failed.get(unit)!) &&
    !failed.has(unit) && !isOurs(unit) &&
    !isIgnored(unit, ignored)
  ).map(([unit, line]) => ({ unit, kind: "named", line }));
}

function usersOf({ said, ignored }: Grounds): Finding[] {
  return [...said.users].map(([user, line]): Finding => ({
    unit: `user@${user}.service`,
    kind: "user",
    line,
  })).filter(({ unit }) => !isIgnored(unit, ignored));
}

/**
 * The units that were started anew between two moments though nothing set them
 * off: systemd restarts them again and again.
 */
export function restartedBetween(
  before: readonly UnitState[],
  now: readonly UnitState[],
  grounds: Grounds,
): UnitState[] {
  const earlier = new Map(before.map((unit) => [unit.name, unit]));
  return now.filter((unit) => {
    const then = earlier.get(unit.name);
    if (!then || !isJudged(unit, grounds) || isChance(unit, grounds)) {
      return false;
    }
    if (grounds.flapping.has(unit.name) || grounds.failed.has(unit.name)) {
      return false;
    }
    return unit.restarts > then.restarts ||
      // One that is upheld is started anew, and not counted.
      (unit.triggeredBy.length === 0 && unit.wantedBy.length > 0 &&
        unit.invocation !== then.invocation && then.active === "active");
  });
}
