/**
 * Writes metrics after a run, however it ended.
 *
 * @module
 */
import type { Effects } from "../../base/effects.ts";
import { SyncError } from "../../base/errors.ts";
import type { Config } from "../../config/schema.ts";
import type { Outcome } from "../../sync/outcome.ts";

/** Results that a run may have without an answer of the remote. */
const withoutQuery: readonly Outcome["result"][] = [
  "suspended",
  "starting",
  "rolled-back",
];

/**
 * Does a run, and writes the metrics if the configuration names a file for
 * them.
 *
 * @throws every error of the run.
 */
export async function withMetrics(
  effects: Effects,
  config: Config,
  run: () => Promise<Outcome>,
): Promise<Outcome> {
  if (config["metrics.textfile"] === undefined) return await run();
  const { writeMetrics } = await import("../../report/textfile.ts");
  try {
    const outcome = await run();
    await writeMetrics(effects, config, hasQueried(outcome));
    return outcome;
  } catch (error) {
    // The run that holds the lock writes the metrics.
    const isLocked = error instanceof SyncError && error.reason === "locked";
    if (!isLocked) await writeMetrics(effects, config, false);
    throw error;
  }
}

function hasQueried(outcome: Outcome): boolean {
  if (outcome.result === "failed") return outcome.error.stage !== "decide";
  return !withoutQuery.includes(outcome.result);
}
