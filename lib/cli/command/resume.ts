/**
 * `gitops-sync resume`: ends a suspension.
 *
 * @module
 */
import { type ExitCode, exitCodes } from "../../base/errors.ts";
import { removeSuspension } from "../../state/suspension.ts";
import { localConfigOf } from "../config.ts";
import { printJson } from "../output/json.ts";
import { print } from "../output/print.ts";
import type { Call } from "../call.ts";

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  const { stateDirectory } = await localConfigOf(call);
  const wasSuspended = await removeSuspension(stateDirectory);
  if (call.json) {
    printJson("resume", exitCodes.ok, { result: "resumed", wasSuspended });
  } else {
    print(
      wasSuspended
        ? "Resumed: the next sync works as configured"
        : "This host was not suspended",
    );
  }
  return exitCodes.ok;
}
