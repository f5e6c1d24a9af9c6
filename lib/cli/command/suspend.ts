/**
 * `gitops-sync suspend`: pauses deployments.
 *
 * @module
 */
import { type ExitCode, exitCodes } from "../../base/errors.ts";
import { oneLine } from "../../base/text.ts";
import { lockHolder } from "../../host/running.ts";
import { type Suspension, writeSuspension } from "../../state/suspension.ts";
import { localConfigOf } from "../config.ts";
import { keepTold } from "../keep_told.ts";
import { printHostJson } from "../output/host_json.ts";
import { print } from "../output/print.ts";
import { timeOf } from "../../report/times.ts";
import { spanOf } from "../span.ts";
import { wisherOf } from "../wisher.ts";
import type { Call } from "../call.ts";

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  const config = await localConfigOf(call);
  const { stateDirectory } = config;
  const now = new Date();
  const reason = call.texts["reason"];
  const suspension: Suspension = {
    since: now.toISOString(),
    until: endOf(spanOf(call), now),
    reason: reason === undefined ? null : oneLine(reason),
    by: wisherOf(call),
  };
  await writeSuspension(stateDirectory, suspension);
  await keepTold(call, config);
  if (call.json) {
    const result = { result: "suspended", suspension };
    await printHostJson("suspend", config, exitCodes.ok, result);
  } else {
    const { until } = suspension;
    const end = until === null ? "until resume" : `until ${timeOf(until)}`;
    print(
      `Suspended ${end}. Run \`gitops-sync resume\` to end the suspension.`,
    );
    await tellOfRun(stateDirectory);
  }
  return exitCodes.ok;
}

/**
 * Reports a run in progress: after its activation it no longer checks for a
 * suspension.
 */
async function tellOfRun(folder: string): Promise<void> {
  const at = await lockHolder(folder);
  if (!at?.isRun) return;
  const { holder } = at;
  const who = holder ? ` (${holder.command}, process ${holder.pid})` : "";
  print(
    `A run is in progress${who}: it stops before the activation, or finishes if the activation has begun`,
  );
}

function endOf(span: number | undefined, now: Date): string | null {
  return span === undefined
    ? null
    : new Date(now.getTime() + span).toISOString();
}
