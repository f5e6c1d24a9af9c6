/**
 * `gitops-sync resume`: ends a suspension, or a rollback that lasts.
 *
 * @module
 */
import { type ExitCode, exitCodes } from "../../base/errors.ts";
import { short } from "../../base/text.ts";
import { endRollback } from "../../run/stay.ts";
import { removeSuspension } from "../../state/suspension.ts";
import { localConfigOf } from "../config.ts";
import { keepTold } from "../keep_told.ts";
import { printHostJson } from "../output/host_json.ts";
import { print } from "../output/print.ts";
import type { Call } from "../call.ts";

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  const config = await localConfigOf(call);
  const { stateDirectory } = config;
  const wasSuspended = await removeSuspension(stateDirectory);
  const ended = await endRollback(stateDirectory, new Date());
  const wasRolledBack = ended !== undefined;
  await keepTold(call, config);
  if (call.json) {
    const result = { result: "resumed", wasSuspended, wasRolledBack };
    await printHostJson("resume", config, exitCodes.ok, result);
  } else {
    print(
      wasSuspended || wasRolledBack
        ? "Resumed: the next run deploys again"
        : "This host was not suspended",
    );
    if (ended && ended.held.length > 0) {
      print(
        `${
          ended.held.map(short).join(", ")
        } stays blocked. Run \`gitops-sync retry\` to try again.`,
      );
    }
  }
  return exitCodes.ok;
}
