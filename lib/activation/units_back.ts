/**
 * The units after a rollback: all that ran before the attempt must run again.
 *
 * @module
 */
import { say } from "../base/effects.ts";
import { hasSystemd } from "../host/system.ts";
import {
  activityOf,
  resetFailed,
  restartUnits,
  startUnits,
} from "../host/systemd.ts";
import { Deadline } from "../run/deadline.ts";
import type { Switched } from "../run/outside.ts";
import type { Run } from "../run/run.ts";
import { standingOf } from "../run/standing.ts";
import { changedBetween, installedBy } from "./installed_units.ts";
import type { Grounds } from "./judge_units.ts";
import { readSwitch } from "./switch_words.ts";
import { textOf, watchUnits } from "./units.ts";

const logind = "systemd-logind.service";

/** The units of D-Bus; each implementation has its own name. */
const bus = ["dbus.socket", "dbus.service", "dbus-broker.service"];

/**
 * Starts D-Bus if it ran before and does not now: neither a switch nor
 * `systemd-run --wait` works without it.
 */
export async function startBus(run: Run): Promise<void> {
  if (!hasSystemd()) return;
  const { ranBefore = [] } = run.attempt;
  let isBack = false;
  for (const unit of bus.filter((one) => ranBefore.includes(one))) {
    if (await activityOf(run.effects, unit) === "active") continue;
    say(run.effects, "warning", `Starting ${unit}, which ran before`);
    await run.effects.run(resetFailed(unit));
    await run.effects.run(startUnits(unit));
    isBack = true;
  }
  // It does not connect to a new D-Bus by itself.
  if (isBack && ranBefore.includes(logind)) {
    await run.effects.run(restartUnits(logind));
  }
}

/**
 * Waits until the units are as before the attempt, and starts the missing ones
 * once more.
 *
 * @returns the remaining difference, in words.
 */
export async function unitsComeBack(
  run: Run,
  switched: Switched,
  previous: string,
): Promise<string | undefined> {
  if (!hasSystemd()) return undefined;
  const grounds = groundsFor(run, switched, previous);
  const watch = () =>
    watchUnits(
      run,
      grounds,
      new Deadline(run.effects, run.config["timeouts.health"]),
    );
  let watched = await watch();
  if (watched.problems.length > 0) {
    const units = watched.problems.map(({ unit }) => unit);
    // systemd no longer starts a unit that failed too often.
    await run.effects.run(resetFailed(...units));
    for (const unit of units) await run.effects.run(startUnits(unit));
    watched = await watch();
  }
  if (watched.isBlind) return "systemd does not report the state of its units";
  return watched.problems.length > 0 ? textOf(watched.problems) : undefined;
}

function groundsFor(
  run: Run,
  { said, code }: Switched,
  previous: string,
): Grounds {
  const { failedBefore, ranBefore, candidate = null } = run.attempt;
  const { units } = standingOf({ ran: ranBefore, failed: failedBefore });
  return {
    ...units,
    isInstalled: installedBy(previous),
    isChanged: changedBetween(candidate, previous),
    ignored: run.config["health.ignoreUnits"],
    said: readSwitch(said, code),
  };
}
