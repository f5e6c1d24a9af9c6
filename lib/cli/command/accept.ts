/**
 * `gitops-sync accept REVISION`: a ref may be moved to it, once.
 *
 * @module
 */
import { type ExitCode, exitCodes, usageError } from "../../base/errors.ts";
import { oneLine, short } from "../../base/text.ts";
import { accept } from "../../trust/accept.ts";
import { localConfigOf } from "../config.ts";
import { printJson } from "../output/json.ts";
import { print } from "../output/print.ts";
import type { Call } from "../call.ts";

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  const { stateDirectory } = await localConfigOf(call);
  const [to] = call.operands;
  if (to === undefined) {
    throw usageError(
      "operand-missing",
      "Cannot accept nothing: expected gitops-sync accept REVISION",
      "gitops-sync status names the revision that is held",
    );
  }
  const revision = await accept(stateDirectory, oneLine(to, 80), new Date());
  if (call.json) {
    printJson("accept", exitCodes.ok, { result: "accepted", revision });
  } else {
    print(
      `Accepted ${
        short(revision)
      }, once; gitops-sync sync moves this host to it`,
    );
  }
  return exitCodes.ok;
}
