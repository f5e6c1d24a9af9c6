/**
 * Delivers messages in a worker with fewer permissions, which
 * lib/cli/confine.ts starts after a run.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { say } from "../base/effects.ts";
import { foreseen } from "../base/os_error.ts";
import { deliverAll } from "../notify/deliver.ts";
import { parse } from "./arguments.ts";
import { readConfig } from "./config.ts";
import { hostPart } from "../report/host_facts.ts";
import { whileAlive } from "./life.ts";
import { realEffects } from "./output/effects.ts";

/** After a run no message is begun later than this, in milliseconds. */
const within = 30_000;

const send = (message: unknown) => self.postMessage(message);
send(await whileAlive(send, delivered));

/** Whatever goes wrong is told, and changes nothing of how the run ended. */
async function delivered(): Promise<true> {
  const call = await parse(Deno.args);
  using effects = await realEffects(call.verbose);
  try {
    const config = await readConfig(call);
    const doing = { ...effects, hostStatus: () => hostPart(config) };
    await deliverAll(doing, config, within);
  } catch (error) {
    const { message } = foreseen(error) as Error;
    say(effects, "warning", `Cannot deliver messages: ${message}`);
  }
  return true;
}
