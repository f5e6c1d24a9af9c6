/**
 * What a run does first where the one before it was cut off: finish what was
 * proven, undo what was not.
 *
 * @module
 */
import { type Effects, say } from "../base/effects.ts";
import { exitCodes, SyncError } from "../base/errors.ts";
import { short } from "../base/text.ts";
import type { Config } from "../config/schema.ts";
import type { Attempt, Deployment, State } from "../host/state.ts";
import { bootDefault, bootId, hasSystemd, systems } from "../host/system.ts";
import { stopUnits } from "../tools/systemd.ts";
import { disarm } from "./activate.ts";
import { confirm } from "./confirm.ts";
import { type Record, Run } from "./run.ts";
import { waitForProcess } from "./switching.ts";
import { goBack } from "./undo.ts";

/** After how many cut-off activations of one revision it is held. */
const mostCutOffs = 2;

/** The state once what a dead run left behind, if anything, is dealt with. */
export async function recoverFirst(
  effects: Effects,
  config: Config,
  state: State,
  record: Record,
): Promise<State> {
  if (!state.attempt) return state;
  const run = new Run(effects, config, state);
  await recover(run, record);
  return run.state;
}

/**
 * Finishes or undoes the attempt in the journal, and records how it ended.
 *
 * @throws {SyncError} exit 8 if the previous system can't be put back.
 */
async function recover(run: Run, record: Record): Promise<void> {
  const { attempt } = run;
  const what = `The last run (${attempt.command} of ${
    short(attempt.commit.revision)
  })`;
  if (run.state.last?.exit === exitCodes.broken) {
    const text = `${what} could not put the previous system back; trying again`;
    say(run.effects, "warning", text);
    return await undoAgain(run, record);
  }
  const text = `${what} was cut off at the ${attempt.stage} stage`;
  say(run.effects, "warning", text);
  const finished = await finish(run, attempt);
  if (finished) {
    await record(run, { result: "deployed", deployment: finished });
    return say(run.effects, "notice", "It was healthy, so it is confirmed now");
  }
  await undo(run, attempt, `The run was cut off at the ${attempt.stage} stage`);
  const isActivation = attempt.touched === true;
  const times = isActivation ? cutOffs(run, attempt) + 1 : 0;
  if (isActivation) {
    const { revision } = attempt.commit;
    await run.save({ cutOff: { revision, times } });
  }
  await record(run, {
    result: "interrupted",
    error: cutOff(attempt, times >= mostCutOffs),
  });
}

/** The way back that failed before; what its run came to is recorded already. */
async function undoAgain(run: Run, record: Record): Promise<void> {
  await undo(run, run.attempt, "The last run failed");
  say(run.effects, "notice", "The previous system runs again");
  const text = "The way back had failed; a later run put the previous " +
    "system back";
  const error = new SyncError(text, {
    stage: run.attempt.stage,
    reason: "way-back-failed",
    next: "stop",
  });
  await record(run, { result: "interrupted", error });
}

/** Confirms a candidate that was found healthy and still runs. */
async function finish(
  run: Run,
  attempt: Attempt,
): Promise<Deployment | undefined> {
  const { candidate, stage, undoing, commit, target } = attempt;
  if (stage !== "confirm" || undoing || !candidate) return undefined;
  const now = systems();
  const rebooted = attempt.bootId !== bootId();
  const runs = now.running === candidate || target.operation === "boot";
  const boots = now.bootDefault === candidate;
  if (!runs || (rebooted && !boots)) return undefined;
  const healthy = {
    done: "healthy" as const,
    how: "kept" as const,
    checked: "before",
    failedBefore: [],
    system: candidate,
    commit,
    target,
  };
  try {
    return await confirm(run, healthy);
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    say(run.effects, "warning", error.message);
    return undefined;
  }
}

/** @param why What a message says before what came of the way back. */
async function undo(run: Run, attempt: Attempt, why: string): Promise<void> {
  if (!attempt.touched) return await disarm(run);
  await endActivation(run, attempt);
  if (attempt.bootId !== bootId() && standsAsBefore(attempt)) {
    return say(
      run.effects,
      "notice",
      "The host was rebooted since, into the previous system: nothing to undo",
    );
  }
  const { stage } = attempt;
  const cause = new SyncError(why, { stage, reason: "cut-off", next: "retry" });
  const error = await goBack(run, cause);
  if (error instanceof SyncError && error.exit === 8) throw error;
}

/** An activation outlives the run that began it; two at once would be worse. */
async function endActivation(run: Run, attempt: Attempt): Promise<void> {
  if (hasSystemd()) {
    await run.effects.run(
      stopUnits(`gitops-sync-activate-${attempt.id}-*.service`),
    );
  } else if (attempt.process) {
    const timeout = run.config["timeouts.activate"];
    await waitForProcess(run.effects, attempt.process, timeout);
  }
}

function standsAsBefore({ previous }: Attempt): boolean {
  return previous !== undefined && bootDefault() === previous.bootDefault &&
    systems().running === previous.running;
}

function cutOffs(run: Run, { commit }: Attempt): number {
  const { cutOff } = run.state;
  return cutOff?.revision === commit.revision ? cutOff.times : 0;
}

function cutOff(attempt: Attempt, hold: boolean): SyncError {
  const { touched, stage } = attempt;
  return new SyncError(
    touched
      ? `The run was cut off at the ${stage} stage; the previous system was put back`
      : `The run was cut off at the ${stage} stage; the host had not been changed`,
    {
      stage,
      reason: "cut-off",
      next: hold ? "hold" : "retry",
      hints: hold
        ? [
          "it was cut off there before: look for a crash or a reboot that this revision causes, then gitops-sync retry",
        ]
        : [],
    },
  );
}
