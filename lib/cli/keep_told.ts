/**
 * What is told of this host, after a person's word has changed it: the file for
 * people who are not root, and the metrics.
 *
 * @module
 */
import type { LocalConfig } from "../config/config.ts";
import type { Call } from "./call.ts";
import { realEffects } from "./output/effects.ts";
import { publish } from "./publish.ts";

/** Brings what is told of this host to how it stands now. Never fails. */
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
