/**
 * Tells of a fault once, and once when it is over.
 *
 * @module
 */
import { exitCodes, SyncError } from "../base/errors.ts";
import {
  type Alerts,
  type Fault,
  readAlerts,
  writeAlerts,
} from "../state/alerts.ts";
import { type Environment, runHooks, startUnitsOf } from "./notify.ts";
import type { Run } from "../run/run.ts";

/** The reason of a host that was broken before, and still is. */
export const stillUnwell = "still-unwell";

/** The fault that an error is. */
export function faultOf(
  error: Pick<SyncError, "stage" | "reason" | "message" | "exit">,
  now: Date,
  revision?: string,
): Fault {
  const { stage, reason, message, exit } = error;
  return {
    ...(revision === undefined ? {} : { revision }),
    stage,
    reason,
    message,
    since: now.toISOString(),
    ...(exit === exitCodes.broken ? { isBroken: true } : {}),
  };
}

/**
 * Whether one fault goes on with another. A way back that is tried again is
 * about the fault that made it necessary.
 */
export function isSameFault(before: Fault | undefined, now: Fault): boolean {
  if (before?.isBroken && now.reason === stillUnwell) return true;
  if (before === undefined || before.revision !== now.revision) return false;
  return now.reason === "way-back-failed" ||
    before.reason === now.reason && before.stage === now.stage;
}

/** Tells of a fault, unless that was done. */
export async function tellFault(
  run: Run,
  fault: Fault,
  env: Environment,
): Promise<void> {
  const alerts = readAlerts(run.folder);
  if (isSameFault(alerts.fault, fault)) {
    return await keepBroken(run, alerts, fault);
  }
  await raise(run, "onFailure", env);
  await writeAlerts(run.folder, { ...alerts, fault });
}

/** Whether the host is well again, the same fault may say later. */
async function keepBroken(
  run: Run,
  alerts: Alerts,
  { isBroken }: Fault,
): Promise<void> {
  if (alerts.fault?.isBroken === isBroken) return;
  const { isBroken: _, ...rest } = alerts.fault!;
  const fault = { ...rest, ...(isBroken ? { isBroken } : {}) };
  await writeAlerts(run.folder, { ...alerts, fault });
}

/**
 * Starts the units and runs the commands. They come before anything is written
 * down: a run that is cut off here tells it again.
 */
export async function raise(
  run: Run,
  what: "onFailure" | "onRecovered",
  env: Environment,
): Promise<void> {
  await startUnitsOf(run, what);
  await runHooks(run, what, env);
}
