/**
 * `gitops-sync retry`: forgets every hold and pause, and syncs.
 *
 * @module
 */
import type { ExitCode } from "../../base/errors.ts";
import { syncWith, wisher } from "./sync.ts";
import type { Call } from "../call.ts";

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  return await syncWith(call, {
    force: true,
    retry: true,
    // Who pressed a button does not see that a run is at work.
    wait: call.by !== undefined,
    ...wisher(call),
  });
}
