/**
 * `gitops-sync accept REVISION`: permits one move of the ref to a revision.
 * With `--unfollow`, it permits a revision with which this host gets no later
 * commits.
 *
 * @module
 */
import { type ExitCode, exitCodes } from "../../base/errors.ts";
import { oneLine, short } from "../../base/text.ts";
import { accept } from "../../trust/accept.ts";
import { localConfigOf } from "../config.ts";
import { keepTold } from "../keep_told.ts";
import { printHostJson } from "../output/host_json.ts";
import { print } from "../output/print.ts";
import { timeOf } from "../../report/times.ts";
import { spanOf } from "../span.ts";
import { neededOperand } from "../operand.ts";
import type { Call } from "../call.ts";

/** The default is long enough to push a fix on top of the accepted revision. */
const defaultSpan = 7 * 24 * 3_600_000;

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  const config = await localConfigOf(call);
  const { stateDirectory, repository, ref } = config;
  const span = spanOf(call);
  const to = neededOperand(
    call,
    "accept",
    "accept REVISION",
    "Run `gitops-sync status` to see which revision is blocked.",
  );
  const isLast = call.switches.has("unfollow");
  const accepted = await accept(
    stateDirectory,
    oneLine(to, 80),
    new Date(),
    { repository, ref },
    span ?? defaultSpan,
    isLast ? "unfollow" : "move",
  );
  await keepTold(call, config);
  if (call.json) {
    const result = { result: "accepted", ...accepted };
    await printHostJson("accept", config, exitCodes.ok, result);
  } else {
    print(
      `Accepted ${short(accepted.revision)} for ${accepted.ref}, once, until ${
        timeOf(accepted.until!)
      }. ${
        isLast
          ? "Run `gitops-sync sync` to deploy it. After that, this host gets no later commits."
          : "Run `gitops-sync sync` to deploy it now."
      }`,
    );
  }
  return exitCodes.ok;
}
