/**
 * The versions of sops and age that `./dev` puts into its folder of tools.
 *
 * @module
 */
import { exists } from "@std/fs";
import { effects, must } from "../keys.ts";
import type { Effects } from "../../../lib/base/effects.ts";

const tools = `${
  Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME")}/.cache`
}/gitops-sync-dev/tools`;

/** A program of one version. */
export interface Version {
  version: string;
  path: string;
}

/** Every sops that is here, the oldest first. */
export async function sopsVersions(): Promise<Version[]> {
  const found: Version[] = [];
  for (const version of ["3.9.4", "3.10.2", "3.11.0", "3.13.1", "3.13.2"]) {
    const path = `${tools}/sops-${version}/sops`;
    if (await exists(path)) found.push({ version, path });
    else console.log(`without sops ${version}: ./dev secrets makes it with Go`);
  }
  return found;
}

/** Debian's age, and the newer one with a plugin beside it. */
export async function ageVersions(): Promise<Version[]> {
  const said = new TextDecoder().decode(await must("age", ["--version"]));
  const found = [{ version: said.trim(), path: "age" }];
  const newer = `${tools}/age-1.3.2/age`;
  if (await exists(newer)) found.push({ version: "1.3.2", path: newer });
  else console.log("without age 1.3.2 and its plugin: ./dev makes it with Go");
  return found;
}

/** The folder of the plugin `age-plugin-pq`, with the tools for its keys. */
export async function pluginFolder(): Promise<string | undefined> {
  const folder = `${tools}/age-1.3.2`;
  return await exists(`${folder}/age-plugin-pq`) ? folder : undefined;
}

/** Effects that run this sops where sops is asked for. */
export function effectsOf({ path }: Version): Effects {
  return {
    ...effects,
    run: (command) =>
      effects.run(
        command.program === "sops" ? { ...command, program: path } : command,
      ),
  };
}
