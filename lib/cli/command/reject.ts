/**
 * `gitops-sync reject REVISION`: blocks the commit that waits.
 *
 * @module
 */
import { type ExitCode, exitCodes } from "../../base/errors.ts";
import { oneLine, short } from "../../base/text.ts";
import { reject } from "../../run/word.ts";
import { localConfigOf } from "../config.ts";
import { keepTold } from "../keep_told.ts";
import { realEffects } from "../output/effects.ts";
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
    "reject",
    "reject REVISION --reason TEXT",
    "Run `gitops-sync status` to see which revision waits.",
  );
  const reason = call.texts["reason"];
  const by = wisherOf(call);
  const wish = { by, ...reason ? { reason: oneLine(reason) } : {} };
  const hold = await reject(config.stateDirectory, of, wish, new Date());
  if (config["commitStatus.forge"] !== "none") {
    using effects = await realEffects(call.verbose);
    const { tellRejected } = await import("../../notify/attempt.ts");
    await tellRejected({ effects, config }, hold, wish);
  }
  await keepTold(call, config);
  if (call.json) {
    const { revision, target, since: at } = hold;
    const result = { result: "rejected", revision, target, ...wish, at };
    await printHostJson("reject", config, exitCodes.ok, result);
  } else {
    print(
      `Rejected ${
        short(hold.revision)
      }: it is blocked. Push a new commit, or run \`gitops-sync retry\` to let this one wait for approval again.`,
    );
  }
  return exitCodes.ok;
}
