/**
 * Looks whether the host is well with the candidate running.
 *
 * @module
 */
import { SyncError } from "../base/errors.ts";
import { count } from "../base/text.ts";
import { hasSystemd } from "../host/system.ts";
import { askRemote, isRevision } from "../tools/git.ts";
import { lastLines, unitsIn } from "../tools/systemd.ts";
import type { Activated } from "./activate.ts";
import type { Run } from "./run.ts";

/** A candidate that runs and is well. */
export interface Healthy extends Omit<Activated, "done"> {
  readonly done: "healthy";
  /** What was looked at, in words. */
  readonly checked: string;
}

/** Something that is not well. */
interface Ill {
  reason: string;
  text: string;
  details: readonly string[];
}

const pause = 1000;

/**
 * Checks that no unit failed that had not failed before, and that the remote
 * can still be reached: a host that can't is beyond the next commit's help.
 *
 * @throws {SyncError} exit 7; the caller puts the previous system back.
 */
export async function checkHealth(
  run: Run,
  activated: Activated,
): Promise<Healthy> {
  if (activated.how === "later") {
    return { ...activated, done: "healthy", checked: "at the next boot" };
  }
  const [units, remote] = await Promise.all([
    unitsAreWell(run, activated.failedBefore),
    remoteAnswers(run),
  ]);
  const ills = [units, remote].filter((ill) => ill !== undefined);
  if (ills.length > 0) throw unwell(ills);
  const checked = hasSystemd()
    ? "no unit failed, the remote answers"
    : "the remote answers (units: systemd does not run here)";
  return { ...activated, done: "healthy", checked };
}

/** Waits for units that are still starting, then names those that failed. */
async function unitsAreWell(
  run: Run,
  before: readonly string[],
): Promise<Ill | undefined> {
  if (!hasSystemd()) return undefined;
  const { effects } = run;
  const end = effects.now().getTime() + run.config["timeouts.health"];
  while ((await unitsIn(effects, "activating", "reloading")).length > 0) {
    if (effects.now().getTime() > end) break;
    await effects.sleep(pause);
  }
  const failed = newlyFailed(before, await unitsIn(effects, "failed"));
  if (failed.length === 0) return undefined;
  const logs = await Promise.all(
    failed.slice(0, 5).map(async (unit) =>
      (await lastLines(effects, unit, 5)).map((line) => `${unit}: ${line}`)
    ),
  );
  return {
    reason: "units-failed",
    text: `${count(failed.length, "unit")} failed: ${failed.join(", ")}`,
    details: logs.flat(),
  };
}

/**
 * The units that failed since. Our own are left out: a failed activation is
 * judged where it ran.
 */
export function newlyFailed(
  before: readonly string[],
  after: readonly string[],
): string[] {
  return after.filter((unit) =>
    !before.includes(unit) && !unit.startsWith("gitops-sync")
  );
}

async function remoteAnswers(run: Run): Promise<Ill | undefined> {
  const { effects, config } = run;
  if (isRevision(config.ref)) return undefined;
  const end = effects.now().getTime() + config["timeouts.health"];
  while (true) {
    try {
      await askRemote(effects, config);
      return undefined;
    } catch (error) {
      const isIll = error instanceof SyncError &&
        error.reason !== "interrupted";
      if (!isIll) throw error;
      if (effects.now().getTime() + pause > end) {
        return {
          reason: "remote-lost",
          text: "the repository can't be reached any more",
          details: [error.message, ...error.details],
        };
      }
      await effects.sleep(pause);
    }
  }
}

function unwell(ills: readonly Ill[]): SyncError {
  return new SyncError(
    `The host is not well: ${ills.map(({ text }) => text).join("; ")}`,
    {
      stage: "health",
      reason: ills[0]!.reason,
      next: "hold",
      details: ills.flatMap(({ details }) => details),
    },
  );
}
