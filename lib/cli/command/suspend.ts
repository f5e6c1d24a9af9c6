/**
 * `gitops-sync suspend`: this host stays as it is.
 *
 * @module
 */
import { parseDuration } from "../../base/duration.ts";
import { type ExitCode, exitCodes, usageError } from "../../base/errors.ts";
import { oneLine } from "../../base/text.ts";
import { isLocked, lastHolder } from "../../host/lock.ts";
import { type Suspension, writeSuspension } from "../../state/suspension.ts";
import { localConfigOf } from "../config.ts";
import { printJson } from "../output/json.ts";
import { print } from "../output/print.ts";
import { timeOf } from "../output/times.ts";
import type { Call } from "../call.ts";

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  const { stateDirectory } = await localConfigOf(call);
  const now = new Date();
  const reason = call.texts["reason"];
  const suspension: Suspension = {
    since: now.toISOString(),
    until: endOf(call.texts["for"], now),
    reason: reason === undefined ? null : oneLine(reason),
  };
  await writeSuspension(stateDirectory, suspension);
  if (call.json) {
    printJson("suspend", exitCodes.ok, { result: "suspended", suspension });
  } else {
    const { until } = suspension;
    const end = until === null ? "until resume" : `until ${timeOf(until)}`;
    print(`Suspended ${end}; gitops-sync resume ends it`);
    await tellOfRun(stateDirectory);
  }
  return exitCodes.ok;
}

/** It does not look at the suspension any more once it has activated. */
async function tellOfRun(folder: string): Promise<void> {
  if (!await isLocked(folder)) return;
  const holder = lastHolder(folder);
  const who = holder ? ` (${holder.command}, process ${holder.pid})` : "";
  print(
    `A run is under way${who}: it stops before the activation, or is finished if that has begun`,
  );
}

function endOf(span: string | undefined, now: Date): string | null {
  if (span === undefined) return null;
  const ms = parseDuration(span);
  const end = new Date(now.getTime() + (ms ?? NaN));
  if (ms !== undefined && ms > 0 && !Number.isNaN(end.getTime())) {
    return end.toISOString();
  }
  throw usageError(
    "flag-value",
    `Cannot use "${
      oneLine(span, 80)
    }" for --for: expected a duration such as 2h`,
    "leave --for out to suspend until gitops-sync resume",
  );
}
