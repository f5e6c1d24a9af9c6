/**
 * Delivers messages in a worker with fewer permissions. lib/cli/confine.ts
 * starts it after a run.
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

/** Milliseconds after a run in which deliveries may start. */
const startWithin = 30_000;

const send = (message: unknown) => self.postMessage(message);
send(await whileAlive(send, deliverMessages));

/**
 * Delivers the messages. An error is reported, and does not change the exit
 * code of the run.
 */
async function deliverMessages(): Promise<true> {
  const call = await parse(Deno.args);
  using effects = await realEffects(call.verbose);
  try {
    const config = await readConfig(call);
    const doing = { ...effects, hostStatus: () => hostPart(config) };
    await deliverAll(doing, config, startWithin);
  } catch (error) {
    const { message } = foreseen(error) as Error;
    say(effects, "warning", `Cannot deliver messages: ${message}`);
  }
  return true;
}
