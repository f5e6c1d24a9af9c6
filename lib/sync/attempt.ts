/**
 * An attempt to change the host, from its journal entry to its record.
 *
 * @module
 */
import { type Effects, say } from "../base/effects.ts";
import { exitCodes, type Stage, SyncError } from "../base/errors.ts";
import { foreseen } from "../base/os_error.ts";
import type { Config } from "../config/schema.ts";
import { isPattern } from "../config/tag_pattern.ts";
import { remoteOf } from "../git/sources.ts";
import type { Deployment, Left, State, Target, Wish } from "../state/state.ts";
import { deploy, putInPlace } from "./pipeline.ts";
import type { Outcome } from "./outcome.ts";
import { endLog } from "./end_log.ts";
import { begin, type Ended, type Record, Run } from "../run/run.ts";
import { isNotNow } from "../run/not_now.ts";
import { commitOf } from "../run/commit.ts";
import { isStopped } from "../run/outside.ts";
import type { Wishes } from "./wishes.ts";
import type { Tip } from "../base/tip.ts";

/** Whose wish a run is, and whether it skips the gates. */
type Wished = { [Key in "by" | "skipGates"]?: Wishes[Key] };

/**
 * Deploys the tip of the ref, and records the result.
 *
 * @param wish Who wants it, if that is recorded, and whether to skip the gates.
 */
export async function attemptDeploy(
  effects: Effects,
  config: Config,
  state: State,
  tip: Tip,
  target: Target,
  record: Record,
  { by, skipGates: skipped }: Wished = {},
): Promise<Outcome> {
  const run = new Run(effects, config, state);
  run.remote = remoteOf(config, tip.servedBy);
  // The rest of the commit is known after the fetch.
  const unread = { subject: "", author: "", committedAt: "" };
  const { revision, kind } = tip;
  const name = isPattern(config.ref) ? { name: tip.name } : {};
  const commit = { revision, ...unread };
  const testing = tip.base === undefined
    ? {}
    : { testing: { base: tip.base, ref: tip.name } };
  await begin(run, "sync", commit, target, {
    kind,
    ...name,
    ...testing,
    ...skipped ? { skipped } : {},
    ...by === undefined ? {} : { by },
  });
  if (skipped) tellSkipped(run, skipped);
  if (config["commitStatus.forge"] !== "none") {
    const { tellBegun } = await import("../notify/attempt.ts");
    await tellBegun(run);
  }
  return await recorded(run, record, async () => {
    const done = await deploy(run, tip, target);
    if ("until" in done) return { result: "waiting", ...done };
    if ("gated" in done) return { result: "gated", gated: done.gated };
    if ("done" in done) return { result: "built", system: done.system };
    const result = tip.base === undefined ? "deployed" : "tested";
    return { result, deployment: done };
  });
}

/**
 * Activates a system again that was good before.
 *
 * @param as For a rollback, the revisions to block; otherwise the name of the
 * result.
 */
export async function attemptPut(
  effects: Effects,
  config: Config,
  state: State,
  deployment: Deployment,
  record: Record,
  as: Left | { result: "corrected" | "test-over"; by?: string },
  skipped?: Wish,
): Promise<Outcome> {
  const run = new Run(effects, config, state);
  const { system, target } = deployment;
  const commit = commitOf(deployment);
  const left = "revisions" in as ? as : undefined;
  const command = left ? "rollback" : "sync";
  const by = "by" in as && as.by !== undefined ? { by: as.by } : {};
  await begin(run, command, commit, target, {
    ...left ? { left } : by,
    ...skipped ? { skipped } : {},
  });
  if (skipped) tellSkipped(run, skipped);
  return await recorded(run, record, async () => {
    const deployment = await putInPlace(run, {
      done: "confirmed",
      system,
      commit,
      target,
    });
    return "revisions" in as
      ? { result: "rolled-back", deployment, left: as }
      : { result: as.result, deployment };
  });
}

/** Reports it in the journal, and in the log of the attempt. */
function tellSkipped({ effects }: Run, { by, reason }: Wish): void {
  const why = reason ? `: ${reason}` : "";
  say(effects, "warning", `${by} skips the gates${why}`);
}

async function recorded(
  run: Run,
  record: Record,
  work: () => Promise<Exclude<Ended, { error: SyncError }>>,
): Promise<Outcome> {
  const { commit: { revision } } = run.attempt;
  let ended: Awaited<ReturnType<typeof work>>;
  try {
    ended = await work();
  } catch (thrown) {
    const error = foreseen(thrown);
    if (!(error instanceof SyncError)) {
      throw await recordedBug(run, record, error);
    }
    const placed = inStage(run.attempt.stage, error);
    const result = isNotNow(placed) ? "interrupted" : "failed";
    await recordEnd(run, record, { result, error: placed });
    return { result, error: placed, run };
  }
  await recordEnd(run, record, ended);
  switch (ended.result) {
    case "built":
      return { ...ended, revision, run };
    case "rolled-back": {
      const { revisions, stays } = ended.left;
      return { ...ended, left: revisions, ...stays && { stays }, run };
    }
    case "waiting": {
      const { waiting, until } = ended;
      return { result: "unapproved", waiting, until, run };
    }
    case "gated":
      return { result: "gated", gated: ended.gated, run };
    default:
      return { ...ended, run };
  }
}

/** Adds the stage to an interruption, which does not know it. */
function inStage(stage: Stage, error: SyncError): SyncError {
  if (error.reason !== "interrupted") return error;
  return new SyncError(error.message, { ...error, stage });
}

/**
 * Records how the attempt ended, unless the next run must continue it. A failed
 * write does not change how it ended: the next run finds the journal, checks the
 * host, and finishes or undoes the attempt.
 */
async function recordEnd(
  run: Run,
  record: Record,
  ended: Ended,
): Promise<void> {
  if ("error" in ended && isStopped(ended.error)) return run.log?.close();
  try {
    await record(run, ended);
  } catch (thrown) {
    const unwritten = foreseen(thrown);
    if (!(unwritten instanceof SyncError)) throw unwritten;
    say(run.effects, "warning", unwritten.message, unwritten.hints);
  } finally {
    endLog(run, ended);
  }
}

/** Records a bug too, so that the next run knows of it. */
async function recordedBug(
  run: Run,
  record: Record,
  bug: unknown,
): Promise<unknown> {
  const error = new SyncError(`Unexpected: ${(bug as Error)?.message ?? bug}`, {
    stage: run.attempt.stage,
    reason: "bug",
    // A change that may do harm is not tried again automatically.
    next: run.attempt.touched ? "hold" : "retry",
    exit: exitCodes.bug,
    hints: ["Report this bug with the output of `gitops-sync logs`."],
  });
  await recordEnd(run, record, { result: "failed", error });
  return bug;
}
