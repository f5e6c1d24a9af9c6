/**
 * The units of systemd before and after an activation: only what has failed
 * since is blamed on the candidate.
 *
 * @module
 */
import { count } from "../base/text.ts";
import { hasSystemd } from "../host/system.ts";
import { lastLines, type Unit, unitsNow } from "../tools/systemd.ts";
import type { Deadline, Ill } from "./deadline.ts";
import type { Run } from "./run.ts";

/** The lines of the journal that are shown of each unit, and of how many. */
const shownLines = 5, shownUnits = 5;

/** Waits until no unit is starting any more, then names those that failed. */
export async function unitsAreWell(
  run: Run,
  before: readonly string[],
  deadline: Deadline,
): Promise<Ill | undefined> {
  if (!hasSystemd()) return undefined;
  const steady = run.config["health.steady"];
  let since: number | undefined;
  for (;;) {
    const units = (await unitsNow(run.effects)).filter(({ name }) =>
      isBlamed(name, before, run.config["health.ignoreUnits"])
    );
    const starting = units.filter(({ active }) => active !== "failed");
    const failed = units.filter(({ active }) => active === "failed");
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
 * What may be blamed on a candidate, by a unit's name: what was neither failed
 * nor starting before, and is not to be ignored. Our own units are judged where
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

/**
 * The units that have failed, or are about to, before anything is changed. One
 * that is starting at that time may be a long job, and nobody waits for it.
 */
export async function unitsBefore(run: Run): Promise<string[]> {
  if (!hasSystemd()) return [];
  return (await unitsNow(run.effects)).map(({ name }) => name);
}
