/**
 * Finds out whether a failure is the fault of the revision or of the host, by
 * checking the previous system after the rollback.
 *
 * @module
 */
import { exitCodes, SyncError } from "../base/errors.ts";
import { askSources } from "../git/sources.ts";
import { lookAtUnits } from "../host/units.ts";
import { Deadline, type Ill } from "../run/deadline.ts";
import type { Run } from "../run/run.ts";
import { noStanding, type Standing } from "../run/standing.ts";
import { isStopped } from "../run/outside.ts";
import { setBootDefault } from "./confirm.ts";
import { UnhealthyError } from "./health.ts";
import {
  checkUntil,
  type HealthCheck,
  healthChecksOf,
} from "./health_checks.ts";
import { nextReasons } from "./next_reasons.ts";

/**
 * Decides whether the host or the candidate caused a failure, once the previous
 * system runs again: it repeats every check that failed with the candidate. If
 * all fail with the previous system too, the revision is not at fault, and a
 * later run tries it again. If one check fails only with the candidate, the
 * revision is held.
 *
 * @param error The error of the attempt.
 * @returns the same error, or one that names the host as the cause.
 */
export async function blame(run: Run, error: unknown): Promise<unknown> {
  const ends: number[] = [exitCodes.rolledBack, exitCodes.broken];
  const isHeld = error instanceof SyncError && error.next === "hold" &&
    ends.includes(error.exit);
  if (!isHeld) return error;
  const failed = failedChecks(error);
  if (!failed || !await allFail(run, failed.names, failed.before)) return error;
  const is = failed.names.every((name) => name === repository)
    ? "the repository does not answer the previous system either"
    : "the previous system has the same problem";
  return new SyncError(`${error.message}; ${is}, so a later run tries again`, {
    ...error,
    next: "retry",
    cause: error,
  });
}

/** The name of the repository check. */
const repository = "repository";

/** The name of the check whether systemd reports the units. */
const unitsSeen = "units seen";

/** The name of the bootloader check. */
const bootloader = "bootloader";

/**
 * Returns the checks that failed; `undefined` if one cannot be repeated. Failed
 * units are not among them: the rollback itself compares them.
 */
function failedChecks(
  error: SyncError,
): { names: string[]; before: Standing } | undefined {
  // The candidate's own program queried the repository.
  if (error.reason === nextReasons.unreachable) {
    return { names: [repository], before: noStanding };
  }
  if (error.reason === "boot-default") {
    return { names: [bootloader], before: noStanding };
  }
  if (!(error.cause instanceof UnhealthyError)) return undefined;
  const { found, before } = error.cause;
  const names = found.map(nameOf).filter((name) => name !== undefined);
  return names.length === found.length ? { names, before } : undefined;
}

function nameOf({ reason, look }: Ill): string | undefined {
  if (reason === "units-unseen") return unitsSeen;
  return reason === "remote-lost" ? repository : look;
}

/** Returns whether each of these checks fails now, too. */
async function allFail(
  run: Run,
  names: readonly string[],
  before: Standing,
): Promise<boolean> {
  const deadline = new Deadline(run.effects, run.config["timeouts.health"]);
  const checks = healthChecksOf(run, before).filter(({ name }) =>
    names.includes(name)
  );
  const found = await Promise.all([
    ...checks.map((check: HealthCheck) => checkUntil(deadline, check)),
    ...names.includes(repository) ? [checkRepository(run)] : [],
    ...names.includes(bootloader) ? [checkBootloader(run)] : [],
    ...names.includes(unitsSeen) ? [checkUnitsSeen(run)] : [],
  ]);
  const wanted = new Set(names).size;
  return found.length === wanted && found.every((ill) => ill !== undefined);
}

/**
 * Checks whether the remote of the running configuration answers. If it also
 * refuses this system, it may have refused the candidate for the same reason.
 */
async function checkRepository(run: Run): Promise<Ill | undefined> {
  try {
    await askSources(run.effects, run.config, run.state, run.quiet);
    return undefined;
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    return { reason: error.reason, text: error.message, details: [] };
  }
}

/** Checks whether the bootloader step of the previous system succeeds. */
async function checkBootloader(run: Run): Promise<Ill | undefined> {
  const system = run.attempt.previous?.bootDefault;
  if (!system) return undefined;
  try {
    await setBootDefault(run, system);
    return undefined;
  } catch (error) {
    if (!(error instanceof SyncError) || isStopped(error)) throw error;
    return { reason: error.reason, text: error.message, details: [] };
  }
}

async function checkUnitsSeen(run: Run): Promise<Ill | undefined> {
  if (await lookAtUnits(run.effects)) return undefined;
  const text = "systemd does not report the state of its units";
  return { reason: "units-unseen", text, details: [] };
}
