/**
 * `gitops-sync retry`: unblocks all commits, ends the pause, and syncs.
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
    // A person at the status page does not see that a run is in progress.
    wait: call.by !== undefined,
    ...wisher(call),
  });
}
