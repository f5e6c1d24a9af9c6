/**
 * The units of systemd before and after an activation: only what has failed
 * since is blamed on the candidate.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import { count } from "../base/text.ts";
import type { Before } from "../state/state.ts";
import { hasSystemd } from "../host/system.ts";
import { lastLines, type Unit, unitsNow } from "../host/systemd.ts";
import type { Deadline, Ill } from "../run/deadline.ts";
import type { Run } from "../run/run.ts";

/** The lines of the journal that are shown of each unit, and of how many. */
const shownLines = 5, shownUnits = 5;

/** Waits until no unit is starting any more, then names those that failed. */
export async function unitsAreWell(
  run: Run,
  before: Before,
  deadline: Deadline,
): Promise<Ill | undefined> {
  if (!hasSystemd()) return undefined;
  const steady = run.config["health.steady"];
  let since: number | undefined;
  for (;;) {
    const { failed, starting: all } = await unitsSince(run, before.failed);
    const starting = all.filter(({ name }) => !before.starting.includes(name));
    const now = run.effects.now().getTime();
    if (deadline.left <= 0) {
      return await ill(run, [...failed, ...starting.filter(isRestarting)]);
    }
    if (starting.length > 0) since = undefined;
    else if (failed.length > 0) return await ill(run, failed);
    // A service counts as started before it has done anything: what ends
    // right after that is seen by another look.
    else if (now - (since ??= now) >= steady) return undefined;
    await run.effects.sleep(Math.min(steady, 1000));
  }
}

/**
 * What may be blamed on a candidate, by a unit's name: what had not failed
 * before, and is not to be ignored. Our own units are judged where
 * they ran.
 */
export function isBlamed(
  unit: string,
  before: readonly string[],
  ignored: readonly string[],
): boolean {
  return !before.includes(unit) && !unit.startsWith("gitops-sync") &&
    !ignored.some((pattern) => matches(pattern, unit));
}

/** Whether a name is of a pattern in which `*` and `?` stand for others. */
function matches(pattern: string, name: string): boolean {
  const expression = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*").replaceAll("?", ".");
  return new RegExp(`^${expression}$`, "s").test(name);
}

/** A unit that systemd starts again and again never fails, and is not well. */
function isRestarting({ sub }: Unit): boolean {
  return sub.startsWith("auto-restart");
}

/** Names units with what they wrote last; `undefined` if there are none. */
async function ill(
  run: Run,
  units: readonly Unit[],
): Promise<Ill | undefined> {
  if (units.length === 0) return undefined;
  const names = units.map(({ name }) => name);
  const lines = await Promise.all(
    names.slice(0, shownUnits).map(async (name) => {
      const lines = await lastLines(run.effects, name, shownLines);
      return lines.map((line) => `${name}: ${line}`);
    }),
  );
  const what = units.some(isRestarting) ? "failed or keep failing" : "failed";
  return {
    reason: "units-failed",
    text: `${count(units.length, "unit")} ${what}: ${names.join(", ")}`,
    details: lines.flat(),
  };
}

/** The units that are not well before anything is changed. */
export async function unitsBefore(
  effects: Effects,
): Promise<Pick<Before, "failed" | "starting">> {
  const units = hasSystemd() ? await unitsNow(effects) : [];
  const names = (found: readonly Unit[]) => found.map(({ name }) => name);
  const isFailing = (unit: Unit) => isFailed(unit) || isRestarting(unit);
  return {
    failed: names(units.filter(isFailing)),
    starting: names(units.filter((unit) => !isFailing(unit))),
  };
}

/** The units that have failed, or are starting, and may be blamed for it. */
export async function unitsSince(
  { effects, config }: Pick<Run, "effects" | "config">,
  failedBefore: readonly string[],
): Promise<{ failed: Unit[]; starting: Unit[] }> {
  const units = (await unitsNow(effects)).filter(({ name }) =>
    isBlamed(name, failedBefore, config["health.ignoreUnits"])
  );
  return {
    failed: units.filter(isFailed),
    starting: units.filter((unit) => !isFailed(unit)),
  };
}

const isFailed = ({ active }: Unit) => active === "failed";
