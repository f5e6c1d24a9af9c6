/**
 * Reads what a NixOS host already has: its own modules, and other agents.
 *
 * @module
 */
import { relative } from "@std/path";
import { usageError } from "../base/errors.ts";
import { oneLine } from "../base/text.ts";

/** The modules of a host. */
export interface Modules {
  /** The folder that they are in. */
  folder: string;
  /** The text of each, by its path from there. */
  files: ReadonlyMap<string, string>;
  /** What else is there and is not copied, as paths from there. */
  others: readonly string[];
  /** Whether a flake is there, which may give the modules arguments. */
  hasFlake: boolean;
}

/** A configuration of one host is smaller than this. */
const mostFiles = 500, mostBytes = 4 * 1024 * 1024;

/** Names that are not part of the configuration. */
const skipped = [".git", "flake.nix", "flake.lock", "result"];

/**
 * Reads the modules in a folder such as `/etc/nixos`.
 *
 * @returns nothing if it contains no `configuration.nix`.
 * @throws {SyncError} `modules-unreadable`, exit 2.
 */
export async function modulesIn(folder: string): Promise<Modules | undefined> {
  const main = `${folder}/configuration.nix`;
  if (!await isThere(main)) return undefined;
  const files = new Map<string, string>();
  const others: string[] = [];
  let bytes = 0;
  const visit = async (path: string): Promise<void> => {
    for await (const { name } of Deno.readDir(path)) {
      if (skipped.includes(name)) continue;
      const file = `${path}/${name}`;
      const from = relative(folder, file);
      // Links are followed: a checkout elsewhere may be linked here.
      const info = await Deno.stat(file);
      if (info.isDirectory) await visit(file);
      else if (!info.isFile || !name.endsWith(".nix")) others.push(from);
      else {
        files.set(from, await Deno.readTextFile(file));
        bytes += info.size;
      }
      if (files.size > mostFiles || bytes > mostBytes) {
        throw new Error(`it has more than ${mostFiles} files or 4 MiB`);
      }
    }
  };
  try {
    await visit(folder);
  } catch (error) {
    throw usageError(
      "modules-unreadable",
      `Cannot copy ${folder}: ${oneLine((error as Error).message)}`,
      "name another folder with --from FOLDER, or copy nothing with --from ''",
    );
  }
  const hasFlake = await isThere(`${folder}/flake.nix`);
  return { folder, files, others: others.toSorted(), hasFlake };
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/** A line of a module that a person has to check. */
export interface Remark {
  /** Path and line, e.g. `configuration.nix:12`. */
  at: string;
  /** What is there, and what to do. */
  text: string;
}

/** Other agents that a module must not enable, and why. */
const rivals: readonly (readonly [RegExp, string])[] = [
  [
    /^[^#]*\bservices\.comin\b/,
    "services.comin also switches this host: remove it",
  ],
  [
    /^[^#]*\bsystem\.autoUpgrade\b/,
    "system.autoUpgrade also switches this host: remove it",
  ],
  [
    /^[^#]*\bservices\.gitops\b/,
    "services.gitops is already set here: remove it, or merge both",
  ],
];

/** Secrets that are written into a module instead of a file name. */
const secretValue =
  /^[^#]*\b\w*(?:password|passphrase|secret|token|psk|privateKey)\w*\s*=\s*"[^"/][^"]*"/i;

/**
 * Finds what a person has to check in modules: other agents that switch the host,
 * and likely secrets. No remark shows a value.
 *
 * @param files Texts by path.
 */
export function remarksOn(files: ReadonlyMap<string, string>): Remark[] {
  return [...files].flatMap(([path, text]) =>
    text.split("\n").flatMap((line, i) => {
      const at = `${path}:${i + 1}`;
      const found = rivals.filter(([pattern]) => pattern.test(line))
        .map(([, text]) => ({ at, text }));
      return secretValue.test(line)
        ? [...found, {
          at,
          text:
            "this looks like a secret: everybody who can read the repository can read it",
        }]
        : found;
    })
  );
}

/** Reads options of modules that may be set only once. */
export function setIn(
  files: ReadonlyMap<string, string>,
): { hostName?: string; platform?: string; stateVersion: boolean } {
  const text = [...files.values()].join("\n").replace(/^\s*#.*$/gm, "");
  const hostName = /\bnetworking\.hostName\s*=\s*"([^"]*)"/.exec(text)?.[1] ??
    /\bhostName\s*=\s*"([^"]*)"/.exec(text)?.[1];
  // nixos-generate-config writes it into hardware-configuration.nix.
  const platform = /\bhostPlatform(?:\.system)?\s*=[^;"]*"(\w+-linux)"/
    .exec(text)?.[1];
  return {
    ...hostName === undefined ? {} : { hostName },
    ...platform === undefined ? {} : { platform },
    stateVersion: /\bstateVersion\s*=/.test(text),
  };
}

/**
 * Returns the release of NixOS that runs here, e.g. `25.05` (os-release(5)).
 *
 * @returns nothing on another system.
 */
export async function releaseHere(): Promise<string | undefined> {
  const text = await Deno.readTextFile("/etc/os-release").catch(() => "");
  const value = (name: string) =>
    new RegExp(`^${name}="?([^"\n]*)"?$`, "m").exec(text)?.[1];
  const version = value("VERSION_ID");
  return value("ID") === "nixos" && version && /^\d\d\.\d\d$/.test(version)
    ? version
    : undefined;
}
