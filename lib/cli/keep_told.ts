/**
 * Updates the published status and the metrics after a command of a person has
 * changed the state of this host.
 *
 * @module
 */
import type { LocalConfig } from "../config/config.ts";
import type { Call } from "./call.ts";
import { realEffects } from "./output/effects.ts";
import { publish } from "./publish.ts";

/** Updates the published status and the metrics. Never fails. */
export async function keepTold(
  call: Call,
  config: LocalConfig,
): Promise<void> {
  await publish(call, config);
  if (config["metrics.textfile"] === undefined) return;
  using effects = await realEffects(call.verbose);
  const { writeMetrics } = await import("../report/textfile.ts");
  await writeMetrics(effects, config, false);
}
