/**
 * Checks a host after a reboot: a system that was confirmed on a running host has
 * not proven yet that a host boots with it. Loaded only then.
 *
 * @module
 */
import { type Effects, say } from "../base/effects.ts";
import { exitCodes, SyncError } from "../base/errors.ts";
import { short } from "../base/text.ts";
import type { Config } from "../config/schema.ts";
import type { Deployment, State } from "../state/state.ts";
import { attemptPut } from "./attempt.ts";
import { blessBoot } from "../activation/bless.ts";
import type { Ill } from "../run/deadline.ts";
import {
  detailsOf,
  isRemoteAlone,
  problemsOf,
  textOf,
} from "../activation/health.ts";
import type { Found, Outcome } from "./outcome.ts";
import { type Record, Run } from "../run/run.ts";
import { standingOf } from "../run/standing.ts";
import { isStopped } from "../run/outside.ts";
import { readState, writeState } from "../state/state_file.ts";

/**
 * Checks the health of a host that booted the last good system for the first
 * time. If the host is unhealthy, rolls back to the system before it.
 *
 * @returns the outcome of the rollback, or the state to continue with.
 */
export async function proveBoot(
  effects: Effects,
  config: Config,
  state: State,
  record: Record,
): Promise<Found> {
  const { lastGood } = state;
  if (!lastGood) return { state };
  const problems = await problemsOf(
    new Run(effects, config, state),
    standingOf({ failed: lastGood.failing }),
  );
  // An older system would not reach the remote either.
  if (isRemoteAlone(problems)) {
    await blessBoot(effects, "good");
    return { state };
  }
  if (problems.length === 0) {
    await blessBoot(effects, "good");
    return { state: await markBooted(config, state) };
  }
  const message = `the host was not healthy after a reboot: ${
    textOf(problems)
  }`;
  const told = `${short(lastGood.revision)}: ${message}`;
  const earlier = rollbackTarget(state);
  if (!earlier) {
    // Later runs deploy fixes from Git, and check again until then.
    await markUnwell(config, state);
    return {
      outcome: { result: "failed", error: noRollbackTarget(told, problems) },
    };
  }
  say(effects, "error", told);
  const left = { revisions: [lastGood.revision], because: message };
  const outcome = await attemptPut(
    effects,
    config,
    state,
    earlier,
    record,
    left,
  );
  if (outcome.result !== "rolled-back") {
    // Only once: a failed rollback would fail again, and later runs report that
    // the host is unhealthy. If it could not begin, or was interrupted, there is
    // no mark, and the next run tries it.
    if (wasTaken(outcome)) {
      await markUnwell(config, await readState(config.stateDirectory));
    }
    return { outcome };
  }
  await blessBoot(effects, "bad");
  const error = rolledBackError(told, earlier, problems);
  return { outcome: { result: "failed", run: outcome.run, error } };
}

/** Remembers that the last good system was checked after a boot. */
async function markBooted(config: Config, state: State): Promise<State> {
  const { lastGood } = state;
  if (!lastGood) return state;
  const known: State = { ...state, lastGood: { ...lastGood, booted: true } };
  await writeState(config.stateDirectory, known);
  return known;
}

/** Remembers the same, and that the host is unhealthy with it. */
async function markUnwell(config: Config, state: State): Promise<void> {
  const { lastGood } = state;
  if (!lastGood) return;
  await markBooted(config, {
    ...state,
    lastGood: { ...lastGood, unwell: true },
  });
}

/** Returns the newest earlier system that is not blocked. */
function rollbackTarget({ earlier, holds }: State): Deployment | undefined {
  return earlier.find(({ revision }) =>
    !holds.some((hold) => hold.revision === revision)
  );
}

/** Whether the rollback ran to its end, successful or not. */
function wasTaken(outcome: Outcome): boolean {
  const ends: number[] = [exitCodes.rolledBack, exitCodes.broken];
  // A temporary error is tried again.
  return outcome.result === "failed" && ends.includes(outcome.error.exit) &&
    outcome.error.next !== "retry" && !isStopped(outcome.error);
}

function noRollbackTarget(told: string, problems: readonly Ill[]): SyncError {
  return new SyncError(`${told}; no earlier system is left to roll back to`, {
    stage: "health",
    reason: problems[0]!.reason,
    next: "stop",
    details: detailsOf(problems),
    exit: exitCodes.broken,
    hints: ["Fix the host by hand, or push a commit that fixes it."],
  });
}

function rolledBackError(
  told: string,
  earlier: Deployment,
  problems: readonly Ill[],
): SyncError {
  return new SyncError(`${told}; ${short(earlier.revision)} runs again`, {
    stage: "health",
    reason: problems[0]!.reason,
    next: "hold",
    details: detailsOf(problems),
    exit: exitCodes.rolledBack,
    hints: [
      "Read the journal of this boot with `journalctl --boot`: the host was not rebooted again.",
    ],
  });
}
