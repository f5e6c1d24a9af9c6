/**
 * Checks whether the host is healthy with the candidate running.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import { exitCodes, SyncError } from "../base/errors.ts";
import { count } from "../base/text.ts";
import type { Before } from "../state/state.ts";
import { hasSystemd, runningSystem } from "../host/system.ts";
import { defaultRoutes } from "../host/routes.ts";
import { lookAtUnits } from "../host/units.ts";
import { Deadline, type Ill } from "../run/deadline.ts";
import { checkUntil, healthChecksOf } from "./health_checks.ts";
import type { Run } from "../run/run.ts";
import { changedBetween, installedBy } from "./installed_units.ts";
import type { Grounds } from "./judge_units.ts";
import { namesAny, nothingSaid, readSwitch } from "./switch_words.ts";
import {
  beforeOf,
  reportCoincidences,
  unitProblem,
  watchUnits,
} from "./units.ts";
import { type Activated, Healthy } from "../run/stages.ts";
import { noStanding, type Standing } from "../run/standing.ts";

/**
 * Returns the state of the host before anything is changed.
 *
 * @throws {SyncError} `units-unseen`: an unknown state cannot be compared.
 */
export async function standingNow(effects: Effects): Promise<Standing> {
  const [units, routes] = await Promise.all([
    hasSystemd() ? lookAtUnits(effects) : [],
    defaultRoutes(effects),
  ]);
  if (!units) throw unseen();
  const isKnown = units.length > 0;
  return { units: isKnown ? beforeOf(units) : noStanding.units, routes };
}

/** Returns the state in names only, to store it. */
export async function healthBefore(effects: Effects): Promise<Before> {
  const { units: { failed, starting }, routes } = await standingNow(effects);
  return { failed: [...failed], starting: [...starting], routes };
}

function unseen(): SyncError {
  return new SyncError("Cannot read the state of the units of this host", {
    stage: "activate",
    reason: "units-unseen",
    next: "retry",
    exit: exitCodes.build,
    hints: ["Check systemd: `systemctl status`. The host was not changed."],
  });
}

/** Returns what the units are judged by once a candidate runs. */
function groundsOf(
  run: Pick<Run, "config">,
  before: Standing,
  switched: Activated["switched"],
): Grounds {
  const running = runningSystem();
  return {
    ...before.units,
    isInstalled: installedBy(running),
    isChanged: changedBetween(switched?.from ?? running, running),
    ignored: run.config["health.ignoreUnits"],
    said: switched ? readSwitch(switched.said, switched.code) : nothingSaid,
  };
}

/**
 * Checks that all units run that ran before and are still wanted, that no other
 * unit failed, that the remote can still be reached, and everything that the
 * configuration names. All of it at once, with one deadline.
 *
 * @throws {SyncError} exit 7, with all problems; the caller rolls back to the
 * previous system.
 */
export async function checkHealth(
  run: Run,
  activated: Activated,
): Promise<Healthy> {
  const { system, commit, target } = activated;
  const candidate = { system, commit, target, done: "healthy" as const };
  if (activated.how === "later") {
    return { ...candidate, checked: "at the next boot" };
  }
  const problems = await problemsOf(run, activated.before, activated.switched);
  if (problems.length > 0) throw unhealthy(problems, activated.before);
  return { ...candidate, checked: checkedText(run) };
}

/**
 * Returns all problems at the deadline.
 *
 * @param switched The switch, if it has just happened.
 */
export async function problemsOf(
  run: Run,
  before: Standing,
  switched?: Activated["switched"],
): Promise<Ill[]> {
  const deadline = new Deadline(run.effects, run.config["timeouts.health"]);
  const looks: Promise<Ill | undefined>[] = [
    checkUnits(run, before, deadline, switched),
    ...healthChecksOf(run, before).map((look) => checkUntil(deadline, look)),
  ];
  // After a permanent problem, there is nothing to wait for. No check may
  // continue after this has returned.
  const ended = await Promise.allSettled(looks.map(async (look) => {
    try {
      const ill = await look;
      if (ill) deadline.cut();
      return ill;
    } catch (error) {
      deadline.cut();
      throw error;
    }
  }));
  const failed = ended.find((one) => one.status === "rejected");
  if (failed) throw failed.reason;
  return ended.flatMap((one) =>
    one.status === "fulfilled" && one.value ? [one.value] : []
  );
}

/** The error for an unhealthy candidate, with its problems. */
export class UnhealthyError extends SyncError {
  constructor(readonly found: readonly Ill[], readonly before: Standing) {
    super(`The host is unhealthy: ${textOf(found)}`, {
      stage: "health",
      reason: found[0]!.reason,
      next: "hold",
      details: detailsOf(found),
    });
  }
}

async function checkUnits(
  run: Run,
  before: Standing,
  deadline: Deadline,
  switched: Activated["switched"],
): Promise<Ill | undefined> {
  if (!hasSystemd()) return undefined;
  const grounds = groundsOf(run, before, switched);
  const watched = await watchUnits(run, grounds, deadline);
  reportCoincidences(run, watched.coincidences, grounds);
  const ill = await unitProblem(run.effects, watched);
  return ill ?? (switched?.code === 4 ? unexplained(grounds) : undefined);
}

/** Returns a problem if a switch ended with 4 and names no unit. */
function unexplained({ said }: Grounds): Ill | undefined {
  if (namesAny(said)) return undefined;
  return {
    reason: "units-failed",
    text: "the switch failed to handle a unit, but does not name it",
    details: [],
  };
}

/** Returns what was checked, in a few words. */
function checkedText({ config }: Run): string {
  const own = [
    ...config["health.http"],
    ...config["health.tcp"],
    ...config["health.commands"],
  ].length;
  const also = own === 0 ? "" : `, ${count(own, "check")} passed`;
  return hasSystemd()
    ? `all units are healthy, the remote answers${also}`
    : `the remote answers${also} (units not checked: systemd does not run here)`;
}

/**
 * Returns whether the only problem is that the remote does not answer. After a
 * boot, unlike after a fetch, the remote itself may be down.
 */
export function isRemoteAlone(problems: readonly Ill[]): boolean {
  return problems.length > 0 &&
    problems.every(({ reason }) => reason === "remote-lost");
}

/** Returns all problems in one line. */
export function textOf(problems: readonly Ill[]): string {
  return problems.map(({ text }) => text).join("; ");
}

/** Returns the evidence of all problems. */
export function detailsOf(problems: readonly Ill[]): string[] {
  return problems.flatMap(({ details }) => details);
}

/** Returns the error for an unhealthy candidate. */
export function unhealthy(
  problems: readonly Ill[],
  before: Standing,
): SyncError {
  return new UnhealthyError(problems, before);
}
