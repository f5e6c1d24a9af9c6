/**
 * Fetches with the credentials of this host, but without its other files.
 *
 * The fetched tree can have submodules, and these can have their own. Nix
 * fetches all of them. Since 2.20 it reads a submodule that names a repository
 * of this host from the disk. Root can read every repository, so none is
 * visible here.
 *
 * @module
 */
import type { Command, Finished } from "../base/effects.ts";
import { foldersOf, ownService, type Shown } from "../host/confined_unit.ts";
import type { Run } from "../run/run.ts";
import { runRouted } from "./evaluation_unit.ts";
import { type Route, unitIn } from "./isolation.ts";
import { memoryFor } from "./memory.ts";
import {
  elsewhere,
  mirrorFor,
  publicFiles,
  publicVariables,
} from "./shown_files.ts";

/** Fixed, so that a unit that was left behind is found. */
export const inputsUnit = "gitops-sync-inputs";

/** Files that ssh, Git and Nix read without an option. */
const ofSsh = [
  ...["ssh_config", "ssh_config.d", "ssh_known_hosts", "ssh_known_hosts2"],
].map((name) => `/etc/ssh/${name}`);
const atHome = [".ssh", ".netrc", ".config/nix"];

/**
 * Runs a program that fetches as root, but without root's access to the files
 * of others. It sees no file of the host except the public ones and those that
 * its arguments and variables name.
 *
 * @param mirror The repository that it reads.
 * @param cache The folder of Nix's cache, if not that of the unit.
 */
export async function fetchConfined(
  { effects, config, folder }: Run,
  { how }: Route,
  command: Command,
  { mirror, cache }: { mirror?: string; cache?: string } = {},
): Promise<Finished> {
  const unit = unitIn(folder, inputsUnit);
  const { runtime, cache: own } = foldersOf(unit);
  const settings = Deno.env.get("NIX_CONF_DIR") ?? "/etc/nix";
  const home = Deno.env.get("HOME") ?? "/root";
  const agent = Deno.env.get("SSH_AUTH_SOCK");
  const optional = [
    ...ofSsh,
    ...atHome.map((name) => `${home}/${name}`),
    ...namedIn(command).filter((path) => path !== cache),
    ...filesOfNix(settings),
    ...agent === undefined ? [] : [agent],
  ].map((from): Shown => ({ from, optional: true }));
  const env = {
    ...publicVariables(),
    ...agent === undefined ? {} : { SSH_AUTH_SOCK: agent },
    HOME: home,
    NIX_CONF_DIR: settings,
    XDG_CACHE_HOME: cache ?? own,
    TMPDIR: runtime,
    ...command.env,
    NIX_REMOTE: "daemon",
  };
  const used = await runRouted(
    effects,
    { how, ids: { uid: 0, gid: 0 } },
    [command.program, ...command.args],
    env,
    {
      unit,
      user: "root",
      readable: [
        ...publicFiles,
        ...elsewhere(),
        ...mirror === undefined ? [] : [mirrorFor(mirror, folder, runtime)],
        ...optional,
      ],
      writable: cache,
      network: true,
      memory: memoryFor(config["limits.evaluation"]),
      seconds: Math.ceil(command.timeout / 1000),
      boundTo: ownService(),
    },
    command.onLine,
  );
  const { end } = used;
  return {
    ...used,
    code: end ? end.code : used.code || 1,
    timedOut: used.timedOut || end?.result === "timeout",
  };
}

/** Returns the files that a command names; the credentials are among them. */
function namedIn({ args, env = {} }: Command): string[] {
  const settings = (env.NIX_CONFIG ?? "").split("\n")
    .map((line) => line.replace(/^(?:!?include |netrc-file = )/, ""));
  return [...args, ...Object.values(env), ...settings]
    .filter((word) => /^\/(?!dev\/|proc\/|nix\/store\/)[^\n]*$/.test(word));
}

/**
 * Returns the folder of Nix's settings and the files that they include
 * (nix.conf(5)).
 */
function filesOfNix(folder: string): string[] {
  const named = /^\s*(?:!?include\s+|netrc-file\s*=\s*)(\/\S+)/gm;
  try {
    const text = Deno.readTextFileSync(`${folder}/nix.conf`);
    return [folder, ...Array.from(text.matchAll(named), ([, path]) => path!)];
  } catch {
    return [folder];
  }
}
