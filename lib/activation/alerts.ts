/**
 * Reports a fault once, and once when it is over.
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

/** The reason for a host that was broken before and still is. */
export const stillUnhealthy = "still-unwell";

/** Returns the fault for an error. */
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
 * Returns whether two faults are the same. A repeated rollback is about the
 * fault that caused it.
 */
export function isSameFault(before: Fault | undefined, now: Fault): boolean {
  if (before?.isBroken && now.reason === stillUnhealthy) return true;
  if (before === undefined || before.revision !== now.revision) return false;
  return now.reason === "way-back-failed" ||
    before.reason === now.reason && before.stage === now.stage;
}

/** Reports a fault, unless this was done. */
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

/** Stores whether the host is still broken, if this has changed. */
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
 * Starts the units and runs the commands, before anything is stored: a run that
 * is interrupted here reports again.
 */
export async function raise(
  run: Run,
  what: "onFailure" | "onRecovered",
  env: Environment,
): Promise<void> {
  await startUnitsOf(run, what);
  await runHooks(run, what, env);
}
