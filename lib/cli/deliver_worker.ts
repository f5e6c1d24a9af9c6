/**
 * Delivers messages in a worker with fewer permissions, which
 * lib/cli/confine.ts starts after a run.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { deliverAll } from "../notify/deliver.ts";
import { parse } from "./arguments.ts";
import { readConfig } from "./config.ts";
import { realEffects } from "./output/effects.ts";

/** Nobody waits longer for receivers after a run, in milliseconds. */
const within = 30_000;

self.postMessage(await delivered());

/** Whatever goes wrong is told, and changes nothing of how the run ended. */
async function delivered(): Promise<true> {
  const call = await parse(Deno.args);
  using effects = await realEffects(call.verbose);
  await deliverAll(effects, await readConfig(call), within);
  return true;
}
