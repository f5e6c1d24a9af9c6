/**
 * Runs the host's own commands around a deployment. They come from its
 * configuration and never from the repository.
 *
 * @module
 */
import { exitCodes, SyncError } from "../base/errors.ts";
import { oneLine } from "../base/text.ts";
import { faultOf, tellFault } from "./alerts.ts";
import { environmentOf, runHostCommand } from "./host_command.ts";
import { type Environment, runHooks } from "./notify.ts";
import type { Ended, Record as Recorder, Run } from "../run/run.ts";
import type { Candidate } from "../run/stages.ts";

/**
 * Runs the commands of `hooks.preDeploy`, one after another.
 *
 * @throws {SyncError} `pre-deploy-failed` at the first that fails. The host is
 * unchanged, and a later run tries again.
 */
export async function beforeDeploy(
  run: Run,
  candidate: Candidate,
): Promise<void> {
  for (const argv of run.config["hooks.preDeploy"]) {
    const env = {
      ...environmentOf(run),
      GITOPS_SYNC_HOOK: "preDeploy",
      GITOPS_SYNC_SYSTEM: candidate.system,
    };
    const timeout = run.config["timeouts.hooks"];
    const failure = await runHostCommand(run, argv, env, timeout);
    if (!failure) continue;
    throw new SyncError(`Cannot deploy: hooks.preDeploy: ${failure.text}`, {
      stage: "activate",
      reason: "pre-deploy-failed",
      next: "retry",
      exit: exitCodes.build,
      details: failure.details,
      hints: [
        "Fix what the command reports. The host was not changed, and the next run tries again.",
      ],
    });
  }
}

/**
 * Records how an attempt ended, and then runs the hooks for it. A failure of a
 * hook is only reported.
 */
export async function recordWithHooks(
  record: Recorder,
  run: Run,
  ended: Ended,
): Promise<void> {
  // Once it is recorded, the attempt is no longer in the journal.
  const { revision } = run.attempt.commit;
  const env = { ...environmentOf(run), ...environmentFor(ended) };
  try {
    await record(run, ended);
  } finally {
    // Even if it could not be recorded: somebody must know.
    await told(run, ended, revision, env);
  }
}

async function told(
  run: Run,
  ended: Ended,
  revision: string,
  env: Environment,
): Promise<void> {
  try {
    await afterwards(run, ended, revision, env);
  } catch (error) {
    // A person has interrupted the hooks.
    if (!(error instanceof SyncError)) throw error;
  }
}

async function afterwards(
  run: Run,
  ended: Ended,
  revision: string,
  env: Environment,
): Promise<void> {
  const hook = hookFor(ended);
  if (hook === "postDeploy") return await runHooks(run, hook, env);
  if (hook !== "onFailure" || !("error" in ended)) return;
  // The same fault comes again with each run, and is reported once.
  const fault = faultOf(ended.error, run.effects.now(), revision);
  await tellFault(run, fault, env);
}

/**
 * Returns the hook for an end. A build is no deployment, and an interruption is
 * no failure.
 */
function hookFor(ended: Ended): "postDeploy" | "onFailure" | undefined {
  if ("deployment" in ended) return "postDeploy";
  const failed = "error" in ended && ended.error.exit !== exitCodes.ok &&
    ended.error.reason !== "interrupted";
  return failed ? "onFailure" : undefined;
}

/** Returns the variables about the end of an attempt. */
function environmentFor(ended: Ended): Environment {
  if ("deployment" in ended) {
    const { system } = ended.deployment;
    return { GITOPS_SYNC_RESULT: ended.result, GITOPS_SYNC_SYSTEM: system };
  }
  if (!("error" in ended)) return { GITOPS_SYNC_RESULT: ended.result };
  const { stage, reason, message, exit } = ended.error;
  return {
    GITOPS_SYNC_RESULT: ended.result,
    GITOPS_SYNC_EXIT: String(exit),
    GITOPS_SYNC_STAGE: stage,
    GITOPS_SYNC_REASON: reason,
    GITOPS_SYNC_MESSAGE: oneLine(message, 2000),
  };
}
