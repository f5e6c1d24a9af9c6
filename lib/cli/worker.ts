/**
 * The program in a worker with fewer permissions, which lib/cli/confine.ts
 * starts.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { main } from "./main.ts";

self.postMessage(await main(Deno.args, true));
