/**
 * The rules for which problems of units are the candidate's fault. A unit that
 * ran before and is still wanted must run. A unit that the candidate adds must
 * start. A problem that happens by coincidence is reported, and is nobody's
 * fault.
 *
 * @module
 */
import { isOfAny } from "../base/pattern.ts";
import type { UnitState } from "../host/units.ts";
import type { UnitsBefore } from "../run/standing.ts";
import { type Said } from "./switch_words.ts";

/** What units are judged by. */
export interface Grounds extends UnitsBefore {
  /** Returns whether the running system installs a unit. */
  readonly isInstalled: (unit: string) => boolean;
  /** Returns whether the two systems define a unit differently. */
  readonly isChanged: (unit: string) => boolean;
  /** The patterns of `health.ignoreUnits`. */
  readonly ignored: readonly string[];
  /** What the switch printed. */
  readonly said: Said;
}

/** A finding about a unit. */
export interface Finding {
  unit: string;
  /** Findings of one kind are reported together. */
  kind: Kind;
  /** The line of the switch about it, if any. */
  line?: string;
}

/** The kinds of findings, with their texts for one unit and for more. */
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

/** A kind of finding. */
export type Kind = keyof typeof kinds;

/** The result of judging all units. */
export interface Verdict {
  /** Problems that are the candidate's fault. */
  problems: Finding[];
  /** Units that are still starting or stopping. */
  starting: Finding[];
  /** Problems that are probably nobody's fault. */
  coincidences: Finding[];
}

/** Judges all units at one moment. */
export function judgeUnits(
  units: readonly UnitState[],
  grounds: Grounds,
): Verdict {
  const verdict: Verdict = { problems: [], starting: [], coincidences: [] };
  const all = new Map(units.map((unit) => [unit.name, unit]));
  for (const unit of units) {
    const kind = kindOf(unit, all, grounds);
    if (!kind) continue;
    const line = grounds.said.failed.get(unit.name);
    const finding = { unit: unit.name, kind, ...line ? { line } : {} };
    if (isOurs(unit.name) || isIgnored(unit.name, grounds.ignored)) continue;
    if (!isFault(unit, kind, grounds)) verdict.coincidences.push(finding);
    else if (kind === "starting") verdict.starting.push(finding);
    else verdict.problems.push(finding);
  }
  // Only failures are worth reporting here.
  verdict.coincidences = verdict.coincidences.filter(({ kind }) =>
    kind === "failed"
  );
  verdict.problems.push(...namedAlone(all, grounds), ...usersOf(grounds));
  return verdict;
}

/** Returns whether a system can be at fault for a unit. */
export function isJudged(
  unit: UnitState,
  { isInstalled, ignored }: Pick<Grounds, "isInstalled" | "ignored">,
): boolean {
  return !isOurs(unit.name) && !isIgnored(unit.name, ignored) &&
    !unit.transient && !/\.(scope|slice|device)$/.test(unit.name) &&
    (unit.source === "/etc/fstab" || isInstalled(unit.name));
}

/** Our own units are judged elsewhere. */
const isOurs = (unit: string) => unit.startsWith("gitops-sync");

/** Returns whether a unit matches a pattern of `health.ignoreUnits`. */
export function isIgnored(unit: string, ignored: readonly string[]): boolean {
  return isOfAny(ignored, unit);
}

/** Returns the problem of a unit, if any, regardless of the cause. */
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
 * Returns whether the switch failed to handle an active unit, which therefore
 * runs unchanged. A unit that failed to start at first and is now active is
 * healthy.
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
 * Returns whether an active unit, or one that must be active again, wants a
 * unit. Devices and sessions do not count, because they come and go.
 *
 * @param seen The units on the path to this one, because they may want each
 * other.
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

/** The units that start it. */
const wantersOf = ({ wantedBy, requiredBy }: UnitState) => [
  ...wantedBy,
  ...requiredBy,
];

/**
 * Returns whether a missing unit is a problem. systemd ignores a missing unit
 * in `Wants=`. But if the system itself wants it to start, it is a problem.
 */
function isNeeded(
  { name, load, requiredBy }: UnitState,
  { isInstalled }: Grounds,
): boolean {
  return load !== "not-found" || isInstalled(name) ||
    requiredBy.some(isInstalled);
}

/** Returns whether a unit is idle as intended. */
function isAtRest(
  unit: UnitState,
  all: ReadonlyMap<string, UnitState>,
): boolean {
  if (unit.result !== "success" && unit.result !== "") return false;
  if (unit.type === "oneshot" && !unit.remains) return true;
  return unit.triggeredBy.some((name) => all.get(name)?.active === "active");
}

/** Returns whether a problem is the candidate's fault. */
function isFault(unit: UnitState, kind: Kind, grounds: Grounds): boolean {
  const { name } = unit;
  if (grounds.failed.has(name) || wasAbsent(unit, grounds)) return false;
  const isJudgable = isJudged(unit, grounds) ||
    // A system cannot install a unit that is missing in it.
    (unit.load === "not-found" && !unit.transient);
  if (!isJudgable) return false;
  if (kind === "starting") {
    if (grounds.flapping.has(name)) return false;
    // An old or new timer, or a person, may start long jobs.
    const isAside = grounds.starting.has(name) || isOnDemand(unit);
    if (isAside && !grounds.said.handled.has(name)) return false;
  }
  return !isCoincidence(unit, grounds);
}

/**
 * Returns whether a unit is missing, and was missing before: it may come later.
 */
function wasAbsent(
  { name, load }: UnitState,
  { absent, ran }: Grounds,
): boolean {
  return load === "not-found" && !ran.has(name) &&
    (absent === undefined || absent.has(name));
}

/** Returns whether a unit starts on demand, and not with the system. */
function isOnDemand(unit: UnitState): boolean {
  return unit.triggeredBy.length > 0 || wantersOf(unit).length === 0;
}

/**
 * Returns whether something other than the switch started a unit that the
 * switch neither changed nor started: a timer, a request to a socket or over
 * D-Bus, or a person.
 */
export function isCoincidence(
  unit: UnitState,
  { said, ran, isChanged }: Grounds,
): boolean {
  const { name, triggeredBy } = unit;
  if (!isOnDemand(unit) || said.handled.has(name)) return false;
  if (said.failed.has(name) || isChanged(name)) return false;
  return !ran.has(name) || triggeredBy.some((by) => by.endsWith(".timer"));
}

/**
 * Returns the units that the switch names as failed, and that systemd does not
 * know.
 */
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
 * Returns the units that systemd restarted between two moments without a
 * trigger: it restarts them again and again.
 */
export function restartedBetween(
  before: readonly UnitState[],
  now: readonly UnitState[],
  grounds: Grounds,
): UnitState[] {
  const earlier = new Map(before.map((unit) => [unit.name, unit]));
  return now.filter((unit) => {
    const then = earlier.get(unit.name);
    if (!then || !isJudged(unit, grounds) || isCoincidence(unit, grounds)) {
      return false;
    }
    if (grounds.flapping.has(unit.name) || grounds.failed.has(unit.name)) {
      return false;
    }
    return unit.restarts > then.restarts ||
      // systemd restarts an upheld unit without counting it.
      (unit.triggeredBy.length === 0 && unit.wantedBy.length > 0 &&
        unit.invocation !== then.invocation && then.active === "active");
  });
}
