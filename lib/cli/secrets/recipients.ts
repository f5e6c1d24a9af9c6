/**
 * `gitops-sync secrets recipients`: prints this host's public keys.
 *
 * @module
 */
import { type Effects, say } from "../../base/effects.ts";
import { type ExitCode, exitCodes, SyncError } from "../../base/errors.ts";
import { localConfigOf } from "../config.ts";
import { realEffects } from "../output/effects.ts";
import { hostIdentities } from "./identities.ts";
import { printJson } from "../output/json.ts";
import { printRaw } from "../output/print.ts";
import type { Call } from "../call.ts";

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  const config = await localConfigOf(call);
  using effects = await realEffects(call.verbose);
  const identities = await hostIdentities(effects, config);
  if (identities.length === 0) {
    throw new SyncError("Cannot find a key of this host", {
      stage: "secrets",
      reason: "no-identity",
      next: "stop",
      hints: [
        "Run `sudo gitops-sync secrets keygen` to make a key.",
        "Or run this command as root, or name the key: `--secrets-identities FILE`.",
      ],
    });
  }
  if (call.json) {
    const shown = identities.map(({ path, kind, recipients, plugins }) => ({
      path,
      kind,
      recipients,
      hasPluginKeys: plugins !== undefined,
    }));
    const result = { result: "found", identities: shown };
    printJson("secrets recipients", exitCodes.ok, result);
    return exitCodes.ok;
  }
  for (const { path, recipients, plugins } of identities) {
    for (const recipient of recipients) printRaw(`${recipient}  # ${path}`);
    if (plugins) tellPlugins(effects, path);
  }
  return exitCodes.ok;
}

/** Warns about the key of a plugin: only the plugin knows its recipient. */
function tellPlugins(effects: Pick<Effects, "tell">, path: string): void {
  say(
    effects,
    "warning",
    `${path} has keys of a plugin; only the plugin knows their public keys`,
    [
      "Run `age-plugin-NAME --identity`, or look for a comment with the public key in the file.",
    ],
  );
}
