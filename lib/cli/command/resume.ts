/**
 * `gitops-sync resume`: ends a suspension.
 *
 * @module
 */
import { type ExitCode, exitCodes } from "../../base/errors.ts";
import { removeSuspension } from "../../state/suspension.ts";
import { localConfigOf } from "../config.ts";
import { printHostJson } from "../output/host_json.ts";
import { publish } from "../publish.ts";
import { print } from "../output/print.ts";
import type { Call } from "../call.ts";

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  const config = await localConfigOf(call);
  const wasSuspended = await removeSuspension(config.stateDirectory);
  await publish(call, config);
  if (call.json) {
    const result = { result: "resumed", wasSuspended };
    await printHostJson("resume", config, exitCodes.ok, result);
  } else {
    print(
      wasSuspended
        ? "Resumed: the next sync works as configured"
        : "This host was not suspended",
    );
  }
  return exitCodes.ok;
}
