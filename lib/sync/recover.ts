/**
 * What a run does first if the run before it was interrupted: it finishes a
 * proven deployment, and undoes any other.
 *
 * @module
 */
import { type Effects, say } from "../base/effects.ts";
import { exitCodes, SyncError } from "../base/errors.ts";
import { short } from "../base/text.ts";
import type { Config } from "../config/schema.ts";
import type { Attempt, State } from "../state/state.ts";
import { bootId, hasSystemd, systems } from "../host/system.ts";
import { resetFailed, stopUnits } from "../host/systemd.ts";
import { confirm, startsAnother } from "../activation/confirm.ts";
import {
  disarmOrTell,
  firedError,
  hasFired,
} from "../activation/dead_mans_switch.ts";
import { isRemoteAlone, problemsOf, unhealthy } from "../activation/health.ts";
import { endLog } from "./end_log.ts";
import { type Ended, type Record, Run } from "../run/run.ts";
import { isSame } from "../run/same.ts";
import { waitForProcess } from "../activation/switching.ts";
import { again, rollBack } from "../activation/undo.ts";
import { type Standing, standingOf } from "../run/standing.ts";
import { isStopped } from "../run/outside.ts";
import { standsAs } from "../run/testing.ts";

/** After how many interrupted activations a revision is blocked. */
const mostCutOffs = 2;

/** Recovers from an interrupted run, if there was one; returns the state. */
export async function recoverFirst(
  effects: Effects,
  config: Config,
  state: State,
  record: Record,
): Promise<State> {
  if (!state.attempt) return state;
  const run = new Run(effects, config, state);
  // It continues the log of the interrupted run.
  run.keepLog();
  try {
    await recover(run, async (run, ended) => {
      await record(run, ended);
      endLog(run, ended);
    });
  } finally {
    run.log?.close();
  }
  return run.state;
}

/**
 * Finishes or undoes the attempt in the journal, and records how it ended.
 *
 * @throws {SyncError} exit 8 if the rollback to the previous system fails.
 */
async function recover(run: Run, record: Record): Promise<void> {
  const { attempt } = run;
  const { command, commit, stage, undoing } = attempt;
  const isBroken = undoing && run.state.last?.exit === exitCodes.broken;
  say(
    run.effects,
    "warning",
    isBroken
      ? `The rollback from ${short(commit.revision)} failed; trying it again`
      : `The last run (${command} of ${
        short(commit.revision)
      }) was interrupted at the ${stage} stage`,
  );
  if (attempt.touched) await endActivation(run, attempt);
  const finished = await finish(run, attempt);
  if (finished && !(finished instanceof SyncError)) {
    await record(run, finished);
    return say(
      run.effects,
      "notice",
      "The host is healthy, so the deployment is confirmed now",
    );
  }
  const cause = finished ??
    (isBroken ? onceBroken(attempt) : await causeOf(run, attempt));
  const error = await undo(run, attempt, cause);
  if (error.exit === exitCodes.broken) {
    await record(run, { result: "failed", error });
    // If no system ran before, there is nothing to roll back to.
    if (attempt.previous?.running) throw error;
    return say(run.effects, "warning", error.message, error.hints);
  }
  await record(run, { result: "interrupted", error });
  say(run.effects, "notice", error.message);
}

/** Returns why there is something to undo. */
async function causeOf(run: Run, attempt: Attempt): Promise<SyncError> {
  if (!attempt.touched) return cutOff(attempt, false);
  if (await hasFired(run)) return firedError(run);
  const { revision, digest } = attempt.commit;
  const times = cutOffs(run, attempt) + 1;
  try {
    await run.save({ cutOff: { revision, ...digest && { digest }, times } });
  } catch (error) {
    // The rollback matters more than the count.
    say(run.effects, "warning", (error as Error).message);
  }
  return cutOff(attempt, times >= mostCutOffs);
}

/** Returns the condition of the host before the attempt. */
function standingBefore({ ranBefore, failedBefore }: Attempt): Standing {
  return standingOf({ ran: ranBefore, failed: failedBefore });
}

/**
 * Confirms a candidate that was found healthy, if it still runs and is still
 * healthy: it may have failed since the interruption.
 *
 * @returns an error if the candidate is at fault.
 */
async function finish(
  run: Run,
  attempt: Attempt,
): Promise<Ended | SyncError | undefined> {
  const { candidate, stage, undoing, commit, target, left } = attempt;
  if (stage !== "confirm" || undoing || !candidate) return undefined;
  const now = systems();
  const rebooted = attempt.bootId !== bootId();
  const runs = now.running === candidate || target.operation === "boot";
  const boots = now.bootDefault === candidate;
  if (!runs || (rebooted && !boots)) return undefined;
  // After a reboot, the check of the boot follows anyway.
  if (target.operation !== "boot" && !rebooted) {
    const before = standingBefore(attempt);
    const problems = await problemsOf(run, before);
    // The remote may be down itself; what brings the next commit may wait.
    if (problems.length > 0 && !isRemoteAlone(problems)) {
      return unhealthy(problems, before);
    }
  }
  const healthy = {
    done: "healthy" as const,
    checked: "before",
    system: candidate,
    commit,
    target,
  };
  try {
    const deployment = await confirm(run, healthy);
    if (left) return { result: "rolled-back", deployment, left };
    const result = attempt.testing ? "tested" : "deployed";
    return { result, deployment };
  } catch (error) {
    if (!(error instanceof SyncError) || isStopped(error)) throw error;
    say(run.effects, "warning", error.message);
    return undefined;
  }
}

/** @returns the cause, with the result of the rollback. */
async function undo(
  run: Run,
  attempt: Attempt,
  cause: SyncError,
): Promise<SyncError> {
  if (!attempt.touched) {
    await disarmOrTell(run);
    return cause;
  }
  if (attempt.bootId !== bootId() && standsAsBefore(run, attempt)) {
    return again(
      cause,
      `${cause.message}; the host has since rebooted into the previous system`,
      exitCodes.rolledBack,
      cause.hints,
    );
  }
  const error = await rollBack(run, cause);
  if (!(error instanceof SyncError) || isStopped(error)) throw error;
  return error;
}

/** Ends an activation that outlived its run: two at once would do harm. */
async function endActivation(run: Run, attempt: Attempt): Promise<void> {
  if (hasSystemd()) {
    const units = `gitops-sync-activate-${attempt.id}-*.service`;
    await run.effects.run(stopUnits(units));
    await run.effects.run(resetFailed(units));
  } else if (attempt.process) {
    const timeout = run.config["timeouts.activate"];
    await waitForProcess(run.effects, attempt.process, timeout);
  }
}

function standsAsBefore(run: Run, { previous }: Attempt): boolean {
  return previous !== undefined && standsAs(previous, run.state, systems()) &&
    !startsAnother(run, previous.bootDefault);
}

function cutOffs(run: Run, { commit }: Attempt): number {
  const { cutOff } = run.state;
  return cutOff && isSame(cutOff, commit) ? cutOff.times : 0;
}

function cutOff(attempt: Attempt, hold: boolean): SyncError {
  const { touched, stage } = attempt;
  return new SyncError(
    touched
      ? `The run was interrupted at the ${stage} stage`
      : `The run was interrupted at the ${stage} stage; the host was not changed`,
    {
      stage,
      reason: "cut-off",
      next: hold ? "hold" : "retry",
      hints: hold
        ? [
          "Check whether this commit crashes or reboots the host, or stops the service of gitops-sync: it was interrupted before as well.",
        ]
        : [],
    },
  );
}

/** The revision is blocked already, with its own reason. */
function onceBroken({ commit, stage }: Attempt): SyncError {
  return new SyncError(
    `The rollback from ${short(commit.revision)} failed before`,
    { stage, reason: "way-back-failed", next: "stop" },
  );
}
