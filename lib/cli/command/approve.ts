/**
 * `gitops-sync approve REVISION`: approves the commit that waits.
 *
 * @module
 */
import { type ExitCode, exitCodes } from "../../base/errors.ts";
import { describe } from "../../run/commit.ts";
import { approve } from "../../run/word.ts";
import { localConfigOf } from "../config.ts";
import { keepTold } from "../keep_told.ts";
import { printHostJson } from "../output/host_json.ts";
import { print } from "../output/print.ts";
import { neededOperand } from "../operand.ts";
import { wisherOf } from "../wisher.ts";
import type { Call } from "../call.ts";

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  const config = await localConfigOf(call);
  const of = neededOperand(
    call,
    "approve",
    "approve REVISION",
    "Run `gitops-sync status` to see which revision waits.",
  );
  const waiting = await approve(
    config.stateDirectory,
    of,
    wisherOf(call),
    new Date(),
  );
  await keepTold(call, config);
  const { by, at } = waiting.approved!;
  if (call.json) {
    const { revision, target } = waiting;
    const result = { result: "approved", revision, target, by, at };
    await printHostJson("approve", config, exitCodes.ok, result);
  } else {
    print(
      `${by} approved ${
        describe(waiting)
      }. The next run deploys it. Run \`gitops-sync sync\` to do it now.`,
    );
  }
  return exitCodes.ok;
}
