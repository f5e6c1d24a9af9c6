/**
 * `gitops-sync approve REVISION`: what waits may be deployed.
 *
 * @module
 */
import { type ExitCode, exitCodes, usageError } from "../../base/errors.ts";
import { whoRuns } from "../../host/person.ts";
import { describe } from "../../run/commit.ts";
import { approve } from "../../run/word.ts";
import { localConfigOf } from "../config.ts";
import { printJson } from "../output/json.ts";
import { print } from "../output/print.ts";
import type { Call } from "../call.ts";

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  const { stateDirectory } = await localConfigOf(call);
  const [of] = call.operands;
  if (of === undefined) {
    throw usageError(
      "operand-missing",
      "Cannot approve nothing: expected gitops-sync approve REVISION",
      "gitops-sync status names the revision that waits",
    );
  }
  const waiting = await approve(stateDirectory, of, whoRuns(), new Date());
  const { by, at } = waiting.approved!;
  if (call.json) {
    const { revision, target } = waiting;
    const result = { result: "approved", revision, target, by, at };
    printJson("approve", exitCodes.ok, result);
  } else {
    print(
      `${by} approved ${
        describe(waiting)
      }: the next run deploys it; gitops-sync sync does it now`,
    );
  }
  return exitCodes.ok;
}
