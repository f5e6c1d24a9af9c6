/**
 * Alerts about how a run ended: a new fault, the end of a fault, or a remote that
 * has not answered for too long.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import { exitCodes, SyncError } from "../base/errors.ts";
import { oneLine } from "../base/text.ts";
import type { Config } from "../config/schema.ts";
import { faultOf, raise, tellFault } from "../activation/alerts.ts";
import { startUnitsOf } from "../activation/notify.ts";
import { Run } from "../run/run.ts";
import { isStopped } from "../run/outside.ts";
import { type Alerts, readAlerts, writeAlerts } from "../state/alerts.ts";
import { fresh } from "../state/state_file.ts";
import { exitOf, type Outcome } from "./outcome.ts";

/**
 * Sends the alerts after a run. Faults of an attempt were reported when it was
 * recorded (lib/activation/hooks.ts).
 */
export async function alertAfter(
  effects: Effects,
  config: Config,
  outcome: Outcome,
): Promise<void> {
  const run = new Run(effects, config, fresh);
  await quietly(async () => {
    switch (outcome.result) {
      case "failed":
        return await afterFailure(run, outcome.error, "run" in outcome);
      case "held":
        return await afterHold(run, outcome.hold);
      case "waiting":
      case "stays":
      case "unapproved":
      case "gated":
      case "queued":
      // The followed ref may be blocked nevertheless.
      case "tested":
      case "test-over":
        return await answered(run);
      case "in-sync":
      case "deployed":
      case "corrected":
      case "built":
        return await recovered(run, outcome.result);
    }
  });
  if (exitOf(outcome) !== exitCodes.ok) return;
  await quietly(() => startUnitsOf(run, "onSuccess"));
}

/** Reports an error that ended a run before it had an outcome. */
export async function alertError(
  effects: Effects,
  config: Config,
  error: SyncError,
): Promise<void> {
  const run = new Run(effects, config, fresh);
  // An attempt whose rollback failed was recorded and reported already.
  if (error.exit === exitCodes.broken) return;
  await quietly(() => afterFailure(run, error, false));
}

/** Ignores an interruption by a person. */
async function quietly(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
  }
}

async function afterFailure(
  run: Run,
  error: SyncError,
  isRecorded: boolean,
): Promise<void> {
  if (isStopped(error) || error.reason === "interrupted") return;
  if (error.stage === "decide") return await silent(run, error);
  if (error.stage !== "state") await answered(run);
  if (isRecorded) return;
  const fault = faultOf(error, run.effects.now());
  await tellFault(run, fault, environmentOf(run, error));
}

/**
 * Reports a blocked revision that was not reported yet: an older version may
 * have blocked it. A rollback or a rejection by a person is no fault.
 */
async function afterHold(
  run: Run,
  hold: Extract<Outcome, { result: "held" }>["hold"],
): Promise<void> {
  await answered(run);
  const { revision, stage } = hold;
  if (stage === "decide") return;
  if (readAlerts(run.folder).fault?.revision === revision) return;
  const error = { ...hold, exit: exitCodes.held };
  const fault = faultOf(error, run.effects.now(), revision);
  const env = environmentOf(run, error);
  await tellFault(run, fault, { ...env, GITOPS_SYNC_REVISION: revision });
}

/** Reports once that the remote has not answered for too long. */
async function silent(run: Run, error: SyncError): Promise<void> {
  const { effects, config, folder } = run;
  const alerts = readAlerts(folder);
  const now = effects.now();
  const begun = Date.parse(alerts.silence?.since ?? "");
  // If the clock was set back since, the time counts from now.
  const since = begun <= now.getTime() ? new Date(begun) : now;
  const isTold = alerts.silence?.isTold;
  const isDue = !isTold &&
    now.getTime() - since.getTime() >= config["alerts.unreachableAfter"];
  if (isDue) await raise(run, "onFailure", environmentOf(run, error));
  const silence = {
    since: since.toISOString(),
    ...(isTold || isDue ? { isTold: true as const } : {}),
  };
  const isNews = JSON.stringify(silence) !== JSON.stringify(alerts.silence);
  if (isNews) await writeAlerts(folder, { ...alerts, silence });
}

/** The remote answers again. */
async function answered(run: Run): Promise<void> {
  const { silence, ...alerts } = readAlerts(run.folder);
  if (!silence) return;
  // With another fault, the host has not recovered.
  if (silence.isTold && !alerts.fault) await over(run, alerts);
  else await writeAlerts(run.folder, alerts);
}

/** The host is healthy: every reported fault is over. */
async function recovered(
  run: Run,
  result: Outcome["result"],
): Promise<void> {
  const alerts = readAlerts(run.folder);
  const { fault, silence } = alerts;
  const stays = fault?.isBroken === true &&
    (result === "in-sync" || result === "built");
  if (stays || (!fault && !silence?.isTold)) return await answered(run);
  await over(run, {});
}

async function over(run: Run, rest: Alerts): Promise<void> {
  await raise(run, "onRecovered", environmentOf(run));
  await writeAlerts(run.folder, rest);
}

/** Returns the variables for a command without an attempt. */
function environmentOf(
  { config }: Run,
  error?: Pick<SyncError, "exit" | "stage" | "reason" | "message">,
): Record<string, string> {
  return {
    GITOPS_SYNC_HOST: config.host,
    GITOPS_SYNC_REPOSITORY: config.repository,
    GITOPS_SYNC_REF: config.ref,
    GITOPS_SYNC_RESULT: error ? "failed" : "recovered",
    ...error && {
      GITOPS_SYNC_EXIT: String(error.exit),
      GITOPS_SYNC_STAGE: error.stage,
      GITOPS_SYNC_REASON: error.reason,
      GITOPS_SYNC_MESSAGE: oneLine(error.message, 2000),
    },
  };
}
