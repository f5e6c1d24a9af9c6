/**
 * Compares the units of systemd before and after an activation: what ran must
 * run again, and what is new must stay up.
 *
 * @module
 */
import { count } from "../base/text.ts";
import { type Effects, say } from "../base/effects.ts";
import { lastLines } from "../host/systemd.ts";
import { lookAtUnits, type UnitState } from "../host/units.ts";
import type { Deadline, Ill } from "../run/deadline.ts";
import type { Run } from "../run/run.ts";
import type { UnitsBefore } from "../run/standing.ts";
import {
  type Finding,
  type Grounds,
  isCoincidence,
  isJudged,
  judgeUnits,
  kinds,
  restartedBetween,
  type Verdict,
} from "./judge_units.ts";

/** How many lines of the journal are shown per unit, and for how many units. */
const shownLines = 5, shownUnits = 5;

/** A unit with this many restarts since it was first seen is not waited for. */
const mostRestarts = 5;

/** The most unit names that are stored. */
const mostRemembered = 2000;

/** Returns what is stored of the units before anything is changed. */
export function beforeOf(units: readonly UnitState[]): UnitsBefore {
  const names = (found: readonly UnitState[]) =>
    new Set(found.map(({ name }) => name));
  const kept = units.filter((unit) =>
    isJudged(unit, { isInstalled: () => true, ignored: [] })
  );
  // A unit that restarts again and again seems healthy while it runs.
  const newest = Math.max(...units.map(({ startedAt }) => startedAt));
  const isFlapping = (unit: UnitState) =>
    isRestarting(unit) ||
    (unit.restarts > 0 && newest - unit.startedAt < 60_000_000);
  const isFailing = (unit: UnitState) =>
    unit.active === "failed" || isRestarting(unit) ||
    !["loaded", "masked", "not-found"].includes(unit.load);
  const ran = kept.filter(({ active }) =>
    active === "active" || active === "reloading"
  ).slice(0, mostRemembered);
  return {
    ran: new Map(ran.map(({ name, invocation }) => [name, invocation])),
    failed: names(units.filter(isFailing)),
    absent: names(units.filter(({ load }) => load === "not-found")),
    starting: names(
      units.filter((unit) =>
        !isFailing(unit) &&
        (unit.hasJob || /^(activating|reloading)$/.test(unit.active))
      ),
    ),
    flapping: names(units.filter(isFlapping)),
  };
}

/**
 * A unit that systemd restarts again and again never fails, but is not healthy.
 */
function isRestarting({ sub }: UnitState): boolean {
  return sub.startsWith("auto-restart");
}

/** Reports problems that are not the candidate's fault. */
export function reportCoincidences(
  { effects }: Pick<Run, "effects">,
  coincidences: readonly Finding[],
  { failed }: Pick<Grounds, "failed">,
): void {
  for (const { unit } of coincidences) {
    const why = failed.has(unit)
      ? "failed before, and fails again"
      : "failed at the same time, probably not because of this change";
    say(effects, "warning", `${unit} ${why}`, [
      `Check the unit: \`systemctl status ${unit}\`.`,
    ]);
  }
}

/**
 * The result of watching the units; `isBlind`: systemd could not be queried.
 */
export type Watched = Verdict & { isBlind?: true };

/**
 * Watches all units until they have been healthy for `health.steady`, there is
 * a permanent problem, or the deadline comes.
 *
 * @returns the problems; a unit that is starting or restarting at the deadline
 * is one.
 */
export async function watchUnits(
  run: Pick<Run, "effects" | "config">,
  grounds: Grounds,
  deadline: Deadline,
): Promise<Watched> {
  const { effects, config } = run;
  const steady = config["health.steady"];
  const counts = new Map<string, number>();
  let first: { at: number; units: readonly UnitState[] } | undefined;
  for (;;) {
    const units = await lookAtUnits(effects);
    const at = effects.monotonic();
    const isLate = deadline.left <= 0;
    if (!units) {
      if (isLate) return { ...nothing, isBlind: true };
      first = undefined;
    } else {
      const verdict = judgeUnits(units, grounds);
      const { starting, problems } = verdict;
      // Another check has found a problem: no verdict can change that.
      if (deadline.isCut) return verdict;
      const restarted = restartedBetween(first?.units ?? [], units, grounds);
      const looping = loopingOf(units, counts, grounds);
      const isMoving = starting.length > 0 || restarted.length > 0;
      if (looping.length > 0 || (isMoving && isLate)) {
        return atTheEnd(verdict, [...looping, ...restarted], units);
      }
      // A service counts as started before it has done anything. If it ends
      // right after that, the next check sees it.
      if (starting.length > 0) first = undefined;
      else if (problems.length > 0) return verdict;
      else if (!first || isMoving) first = { at, units };
      else if (at - first.at >= steady) return verdict;
    }
    await effects.sleep(Math.min(Math.max(steady, 50), 1000));
  }
}

const nothing: Verdict = { problems: [], starting: [], coincidences: [] };

/**
 * A unit that is still starting at the end is a problem; if it restarts, it
 * keeps failing.
 */
function atTheEnd(
  { problems, starting, coincidences }: Verdict,
  restarted: readonly UnitState[],
  units: readonly UnitState[],
): Verdict {
  const again = new Set(
    [...restarted, ...units.filter(isRestarting)].map(({ name }) => name),
  );
  const found: Finding[] = [
    ...starting.map((one): Finding =>
      again.has(one.unit) ? { ...one, kind: "restarting" } : one
    ),
    ...restarted.map(({ name }): Finding => ({
      unit: name,
      kind: "restarting",
    })),
  ];
  const known = new Set(problems.map(({ unit }) => unit));
  const more = found.filter(({ unit }) => {
    const isNew = !known.has(unit);
    known.add(unit);
    return isNew;
  });
  return { problems: [...problems, ...more], starting: [], coincidences };
}

/**
 * Returns the units that were restarted too often since they were first seen.
 */
function loopingOf(
  units: readonly UnitState[],
  first: Map<string, number>,
  grounds: Grounds,
): UnitState[] {
  return units.filter((unit) => {
    const { name, restarts } = unit;
    // The count begins anew if somebody starts the unit.
    if (restarts < (first.get(name) ?? Infinity)) first.set(name, restarts);
    return restarts - first.get(name)! >= mostRestarts &&
      isJudged(unit, grounds) && !isCoincidence(unit, grounds) &&
      !grounds.flapping.has(name) && !grounds.failed.has(name);
  });
}

/**
 * Returns the problems of units for a health check; `undefined` if there are
 * none.
 */
export async function unitProblem(
  effects: Effects,
  { problems, isBlind }: Watched,
): Promise<Ill | undefined> {
  if (isBlind) {
    return {
      reason: "units-unseen",
      text: "systemd does not report the state of its units",
      details: [],
    };
  }
  if (problems.length === 0) return undefined;
  return {
    reason: "units-failed",
    text: textOf(problems),
    details: await evidenceOf(effects, problems),
  };
}

/** Returns all findings in one line; those of one kind are together. */
export function textOf(findings: readonly Finding[]): string {
  return Object.entries(kinds).flatMap(([kind, [one, several]]) => {
    const names = findings.filter((finding) => finding.kind === kind)
      .map(({ unit }) => unit);
    const what = names.length === 1 ? one : several;
    return names.length === 0
      ? []
      : [`${count(names.length, "unit")} ${what}: ${names.join(", ")}`];
  }).join("; ");
}

/** Returns the lines of the switch about units, and their last lines. */
export async function evidenceOf(
  effects: Effects,
  findings: readonly Finding[],
): Promise<string[]> {
  const lines = await Promise.all(
    findings.slice(0, shownUnits).map(async ({ unit, line }) => {
      const written = await lastLines(effects, unit, shownLines);
      return [
        ...line ? [line] : [],
        ...written.map((text) => `${unit}: ${text}`),
      ];
    }),
  );
  return lines.flat();
}
