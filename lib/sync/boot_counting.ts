/**
 * Boots that the bootloader counts: marks a healthy boot as good, and finds out
 * later which revision never came up.
 *
 * @module
 */
import { type Effects, say } from "../base/effects.ts";
import { exitCodes, SyncError } from "../base/errors.ts";
import { count, short } from "../base/text.ts";
import type { Config } from "../config/schema.ts";
import { blessBoot, isUndecided } from "../activation/bless.ts";
import { isRemoteAlone, problemsOf, textOf } from "../activation/health.ts";
import { countersOf } from "../host/boot_entry.ts";
import { bootedSystem, runningSystem } from "../host/system.ts";
import { type Record, Run } from "../run/run.ts";
import { standingOf } from "../run/standing.ts";
import type { Deployment, State } from "../state/state.ts";
import { attemptPut } from "./attempt.ts";
import type { Found } from "./outcome.ts";

/**
 * Marks a boot as good that nothing else checks: one with a known system, or one
 * that a person installed. If only the remote does not answer, the boot is good:
 * an older system would not reach the remote either.
 */
export async function blessIfWell(
  effects: Effects,
  config: Config,
  state: State,
): Promise<void> {
  if (!await isUndecided(effects)) return;
  const problems = await problemsOf(
    new Run(effects, config, state),
    standingOf({ failed: state.lastGood?.failing ?? [] }),
  );
  if (problems.length === 0 || isRemoteAlone(problems)) {
    await blessBoot(effects, "good");
    return;
  }
  say(
    effects,
    "warning",
    `This boot is not marked as good, because the host is not healthy: ${
      textOf(problems)
    }`,
    [
      "Fix the host: the bootloader falls back to another system after its last try of this one.",
    ],
  );
}

/**
 * Finds out whether the bootloader gave up the last good system, because no boot
 * with it was marked as good. Then the system that it chose becomes the last good
 * one and the boot default, and the revision is blocked.
 *
 * @returns the outcome of that, or the state to continue with.
 */
export async function afterFallback(
  effects: Effects,
  config: Config,
  state: State,
  record: Record,
): Promise<Found> {
  const { lastGood } = state;
  if (!lastGood || bootedSystem() === lastGood.system) return { state };
  const givenUp = countersOf(lastGood.system).find(({ left }) => left === 0);
  if (!givenUp) return { state };
  const { revision } = lastGood;
  const running = runningSystem();
  const because = `it did not come up in ${
    count(givenUp.done, "boot")
  }, and the bootloader chose another system`;
  const told = `${short(revision)}: ${because}: ${running}`;
  const good = chosen(state, running);
  if (!good) {
    return { outcome: { result: "failed", error: noGoodSystem(told) } };
  }
  say(effects, "error", told);
  const left = { revisions: [revision], because };
  const outcome = await attemptPut(effects, config, state, good, record, left);
  if (outcome.result !== "rolled-back") return { outcome };
  const error = new SyncError(
    `${told}; ${short(good.revision)} is the boot default again`,
    {
      stage: "health",
      reason: "never-came-up",
      next: "hold",
      exit: exitCodes.rolledBack,
      hints: [
        "Read the journal of the failed boots: `journalctl --list-boots` lists them, and `journalctl --boot ID` shows one.",
      ],
    },
  );
  return { outcome: { result: "failed", run: outcome.run, error } };
}

/** Returns the running good system, or else the newest one that is not blocked. */
function chosen(
  { earlier, holds }: State,
  running: string | null,
): Deployment | undefined {
  return earlier.find(({ system }) => system === running) ??
    earlier.find(({ revision }) =>
      !holds.some((hold) => hold.revision === revision)
    );
}

function noGoodSystem(told: string): SyncError {
  return new SyncError(`${told}; no earlier good system is known`, {
    stage: "health",
    reason: "never-came-up",
    next: "stop",
    exit: exitCodes.broken,
    hints: ["Fix the host by hand, or push a commit that fixes it."],
  });
}
