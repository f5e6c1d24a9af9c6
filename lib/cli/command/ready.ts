/**
 * `gitops-sync ready`: checks whether a sync can get the next commit with this
 * configuration.
 *
 * @module
 */
import { type ExitCode, exitCodes, usageError } from "../../base/errors.ts";
import { isRevision } from "../../base/names.ts";
import { oneLine, short } from "../../base/text.ts";
import { ready } from "../../sync/ready.ts";
import { configOf } from "../config.ts";
import { realEffects } from "../output/effects.ts";
import { printHostJson } from "../output/host_json.ts";
import { print } from "../output/print.ts";
import type { Call } from "../call.ts";

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  const config = await configOf(call);
  const [revision] = call.operands;
  if (revision !== undefined && !isRevision(revision)) {
    throw usageError(
      "unknown-revision",
      `Cannot check "${oneLine(revision, 80)}": expected a full commit hash`,
      "Type the full hash, or omit it to check the commit that was deployed last.",
    );
  }
  const from = call.texts["from"] ?? config.stateDirectory;
  using effects = await realEffects(call.verbose);
  const found = await ready(effects, config, from, revision);
  if (call.json) {
    const result = { result: "ready", ...found };
    await printHostJson("ready", config, exitCodes.ok, result);
    return exitCodes.ok;
  }
  const also = found.revision === undefined
    ? "; signatures and secrets were not checked, because nothing is deployed yet"
    : `, and the keys and secrets work for ${short(found.revision)}`;
  print(`Ready: ${config.ref} is at ${short(found.tip.revision)}${also}`);
  return exitCodes.ok;
}
