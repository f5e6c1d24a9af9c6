/**
 * A host that was unhealthy after a reboot and had no earlier system: each run
 * with nothing to deploy checks again, until the host is healthy.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import { exitCodes, SyncError } from "../base/errors.ts";
import { short } from "../base/text.ts";
import type { Config } from "../config/schema.ts";
import { stillUnhealthy } from "../activation/alerts.ts";
import {
  detailsOf,
  isRemoteAlone,
  problemsOf,
  textOf,
} from "../activation/health.ts";
import { Run } from "../run/run.ts";
import { standingOf } from "../run/standing.ts";
import { readAlerts, writeAlerts } from "../state/alerts.ts";
import type { State } from "../state/state.ts";
import { writeState } from "../state/state_file.ts";
import type { Found } from "./outcome.ts";

/**
 * Checks the host with the last good system.
 *
 * @returns the failure, or the state without the mark if the host is healthy.
 */
export async function checkAgain(
  effects: Effects,
  config: Config,
  state: State,
): Promise<Found> {
  const { unwell: _, ...lastGood } = state.lastGood!;
  const run = new Run(effects, config, state);
  const problems = await problemsOf(
    run,
    standingOf({ failed: lastGood.failing }),
  );
  if (problems.length > 0 && !isRemoteAlone(problems)) {
    const revision = short(lastGood.revision);
    const error = new SyncError(
      `${revision} is deployed, but the host is still not healthy: ${
        textOf(problems)
      }`,
      {
        stage: "health",
        reason: stillUnhealthy,
        next: "stop",
        exit: exitCodes.broken,
        details: detailsOf(problems),
        hints: ["Fix the host by hand, or push a commit that fixes it."],
      },
    );
    return { outcome: { result: "failed", error } };
  }
  const { quiet: __, ...rest } = state;
  const known = { ...rest, ...run.quiet.after(effects.now()), lastGood };
  await writeState(config.stateDirectory, known);
  await forgetBroken(config.stateDirectory);
  return { state: known };
}

/** Clears the mark, so that the fault is over when a run succeeds. */
async function forgetBroken(folder: string): Promise<void> {
  const { fault, ...alerts } = readAlerts(folder);
  if (!fault) return;
  const { isBroken: _, ...rest } = fault;
  await writeAlerts(folder, { ...alerts, fault: rest });
}
