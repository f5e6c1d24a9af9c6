/**
 * The program in a worker with fewer permissions, which lib/cli/confine.ts
 * starts.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { perform } from "./perform.ts";

self.postMessage(await perform(Deno.args));
