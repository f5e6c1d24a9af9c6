/**
 * Runs the program in a worker with fewer permissions. lib/cli/confine.ts
 * starts it.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { whileAlive } from "./life.ts";
import { perform } from "./perform.ts";

const send = (message: unknown) => self.postMessage(message);
send(await whileAlive(send, () => perform(Deno.args)));
