/**
 * Reboots the host into a confirmed system. After the reboot, checks that the host
 * came up on it and is healthy; if not, rolls back to the system that was booted
 * before.
 *
 * @module
 */
import { rolledFurther } from "../run/rolled_back.ts";
import { type Effects, say } from "../base/effects.ts";
import { exitCodes, SyncError } from "../base/errors.ts";
import { count, short } from "../base/text.ts";
import type { Config } from "../config/schema.ts";
import { changedSinceBoot } from "../host/booted.ts";
import { countersOf } from "../host/boot_entry.ts";
import type { Deployment, Reboot, State } from "../state/state.ts";
import { readSuspension } from "../state/suspension.ts";
import { bootedSystem, bootId, hasSystemd, systems } from "../host/system.ts";
import { defaultRoutes } from "../host/routes.ts";
import { rebootHost } from "../host/systemd.ts";
import { type DueReboot, rebootOf } from "../run/decide.ts";
import { misledOf } from "../run/misled.ts";
import {
  detailsOf,
  healthBefore,
  isRemoteAlone,
  problemsOf,
  textOf,
} from "../activation/health.ts";
import type { Found } from "./outcome.ts";
import { begin, holdFor, type Record, Run } from "../run/run.ts";
import { blessBoot } from "../activation/bless.ts";
import { rollBack } from "../activation/undo.ts";
import { hasLock } from "../run/slot.ts";
import { standingOf } from "../run/standing.ts";
import { commitOf } from "../run/commit.ts";
import { readState, writeState } from "../state/state_file.ts";

/** How long a host may be offline after a reboot, in milliseconds. */
const cutOffFor = 60 * 60_000;

/** How long a host may take to go down, in milliseconds. */
const goingDown = 10 * 60_000;

/** Returns the due reboot, if there is one. */
export function dueReboot(
  config: Config,
  state: State,
  now: Date,
): DueReboot | undefined {
  const changed = state.lastGood ? changedSinceBoot(state.lastGood.system) : [];
  const situation = {
    state,
    systems: systems(),
    ...misledOf(state.lastGood),
    config,
    now,
  };
  return rebootOf(situation, changed, bootedSystem());
}

/** Reboots the host if a reboot is due and a window is open. */
export async function rebootIfDue(
  effects: Effects,
  config: Config,
): Promise<void> {
  const folder = config.stateDirectory;
  // It may have been suspended during this run.
  if (readSuspension(folder, effects.now())) return;
  const state = await readState(folder);
  const due = dueReboot(config, state, effects.now());
  if (!due || due.opening !== undefined) return;
  const why = due.why.join(", ");
  if (!hasSystemd()) {
    return say(
      effects,
      "warning",
      `A reboot is needed (changed: ${why}), but systemd does not run here`,
      ["Reboot the host by hand."],
    );
  }
  const { system, revision } = state.lastGood!;
  const before = await healthBefore(effects);
  const run = new Run(effects, config, state);
  if (!await hasSlot(run, revision)) return;
  const reboot: Reboot = {
    at: effects.now().toISOString(),
    bootId: bootId(),
    revision,
    system,
    why: due.why,
    booted: bootedSystem(),
    before,
    isWayBack: state.reboot?.backTo === system,
  };
  await run.save({ reboot });
  say(effects, "notice", `Rebooting into ${short(revision)} (changed: ${why})`);
  const finished = await effects.run(rebootHost());
  if (finished.code === 0) return;
  // The next run releases the slot of a reboot that did not happen.
  await run.replace(without(run.state));
  say(effects, "warning", `Cannot reboot: ${finished.stderr.trim()}`, [
    "Reboot the host by hand: `systemctl reboot`.",
  ]);
}

/** Takes a slot of the fleet for a reboot, if one is needed. */
async function hasSlot(run: Run, revision: string): Promise<boolean> {
  if (!hasLock(run.config)) return true;
  const { takeSlot } = await import("../locks/take.ts");
  try {
    using slot = await takeSlot(run, { use: "reboot", revision });
    await slot?.keep();
    return true;
  } catch (error) {
    if (!(error instanceof SyncError) || error.stage !== "slot") throw error;
    say(run.effects, "notice", `No reboot yet. ${error.message}`);
    return false;
  }
}

/**
 * Checks the result of a reboot by a run. If the host came up on another system
 * or is unhealthy, the system that was booted before becomes the running system
 * and the boot default, and the revision is blocked.
 */
export async function afterReboot(
  effects: Effects,
  config: Config,
  state: State,
  record: Record,
): Promise<Found> {
  const reboot = state.reboot!;
  const age = effects.now().getTime() - Date.parse(reboot.at);
  if (reboot.bootId === bootId()) {
    const { revision } = reboot;
    // The clock may have been set back since.
    if (Math.abs(age) < goingDown) {
      return { outcome: { result: "rebooting", revision } };
    }
    say(
      effects,
      "warning",
      "A run started a reboot, but the host did not reboot",
    );
    return await goOn(config, without(state));
  }
  const confirmed = state.lastGood;
  // A person may have deployed another system since.
  if (confirmed?.system !== reboot.system) {
    return await goOn(config, without(state));
  }
  const run = new Run(effects, config, state);
  const { system, target } = confirmed;
  await begin(run, "sync", commitOf(confirmed), target);
  await run.note({ candidate: system });
  const problem = await run.stage(
    "health",
    () => problemAfter(run, reboot, age),
    (found) => found ? "the host is not healthy" : `came up on ${system}`,
  );
  const { attempt: _attempt, ...rest } = run.state;
  if (!problem || problem === "unknown") await blessBoot(effects, "good");
  if (!problem) {
    return await goOn(config, {
      ...rest,
      lastGood: { ...confirmed, booted: true },
      reboot: { ...reboot, result: "well" },
    });
  }
  if (problem === "unknown") return await goOn(config, rest);
  const error = await undoReboot(run, reboot, problem);
  if (bootedSystem() === reboot.system) await blessBoot(effects, "bad");
  await record(run, { result: "failed", error });
  return { outcome: { result: "failed", error, run } };
}

function without(state: State): State {
  const { reboot: _, ...rest } = state;
  return rest;
}

async function goOn(config: Config, state: State): Promise<Found> {
  await writeState(config.stateDirectory, state);
  return { state };
}

/**
 * Returns the problem after a reboot. If only the remote does not answer, it may
 * be down itself: the result is unknown then, unless the host has no route.
 */
async function problemAfter(
  run: Run,
  { system, before }: Reboot,
  age: number,
): Promise<SyncError | "unknown" | undefined> {
  const booted = bootedSystem();
  const { running } = systems();
  if (booted !== system || running !== system) {
    const other = booted !== system ? booted : running;
    const givenUp = countersOf(system).find(({ left }) => left === 0);
    const why = givenUp
      ? `; the bootloader stopped trying ${system} after ${
        count(givenUp.done, "boot")
      }`
      : "";
    return failure("other-system", `the host came up on ${other}${why}`, []);
  }
  const problems = await problemsOf(run, standingOf(before));
  if (problems.length === 0) return undefined;
  if (isRemoteAlone(problems) && (age < cutOffFor || await hasWayOut(run))) {
    return "unknown";
  }
  return failure(
    problems[0]!.reason,
    `the host is not healthy: ${textOf(problems)}`,
    detailsOf(problems),
  );
}

async function hasWayOut({ effects }: Run): Promise<boolean> {
  return (await defaultRoutes(effects)).length > 0;
}

function failure(
  reason: string,
  text: string,
  details: readonly string[],
): SyncError {
  return new SyncError(`After the reboot, ${text}`, {
    stage: "health",
    reason,
    next: "hold",
    details,
  });
}

/** Rolls back to the system that was booted before, if it is known. */
async function undoReboot(
  run: Run,
  reboot: Reboot,
  problem: SyncError,
): Promise<SyncError> {
  const failed = { ...reboot, result: "failed" as const };
  const { earlier, holds } = run.state;
  const good = reboot.isWayBack ? undefined : rollbackTarget(earlier, reboot);
  if (!good) {
    // It is known to be unhealthy: nothing is left to check.
    const { lastGood } = run.state;
    await run.save({
      reboot: failed,
      ...lastGood
        ? { lastGood: { ...lastGood, booted: true, unwell: true } }
        : {},
    });
    const message =
      `${problem.message}; no earlier system is left to roll back to`;
    return new SyncError(message, {
      stage: "health",
      reason: problem.reason,
      next: "stop",
      details: problem.details,
      exit: exitCodes.broken,
      hints: [
        reboot.isWayBack
          ? "Check the host itself: the earlier system was not healthy after a reboot either."
          : "Fix the host by hand, or push a commit that fixes it.",
      ],
    });
  }
  // One write for all of it: the next run continues after any interruption.
  await run.save({
    // It runs in this boot, and is checked after the next one.
    ...rolledFurther(run.state, good.system),
    lastGood: { ...good, boot: bootId() },
    earlier: earlier.filter(({ system }) => system !== good.system),
    holds: [holdFor(run, problem), ...holds],
    reboot: { ...failed, backTo: good.system },
    attempt: {
      ...run.attempt,
      previous: { running: good.system, bootDefault: good.system },
      touched: true,
    },
  });
  const error = await rollBack(run, problem);
  if (error instanceof SyncError) return error;
  throw error;
}

/** Returns the good system to roll back to, if possible the one booted before. */
function rollbackTarget(
  earlier: readonly Deployment[],
  reboot: Reboot,
): Deployment | undefined {
  const { running } = systems();
  return earlier.find(({ system }) => system === running) ??
    earlier.find(({ system }) => system === reboot.booted) ?? earlier[0];
}
