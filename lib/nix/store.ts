/**
 * The Nix store: the system profile and garbage-collection roots.
 *
 * @module
 */
import type { Command } from "../base/effects.ts";

const patience = 5 * 60_000;

/**
 * Returns the command that sets a profile to a store path, as a new generation
 * if it changes.
 */
export function setProfile(profile: string, system: string): Command {
  return {
    program: "nix-env",
    args: ["--profile", profile, "--set", system],
    timeout: patience,
    shielded: true,
  };
}

/**
 * Returns the command that protects a store path from garbage collection while
 * `link` exists.
 */
export function addRoot(link: string, system: string): Command {
  return {
    program: "nix-store",
    args: ["--realise", system, "--add-root", link],
    timeout: patience,
    shielded: true,
  };
}

/**
 * Returns the command that builds a derivation, or fetches a store path with
 * its dependencies from the substituters, and protects the result. Nix cannot
 * build an output path without its derivation.
 *
 * @param options More arguments, and the timeout in milliseconds.
 */
export function realise(
  link: string,
  path: string,
  { options, timeout, onLine }: {
    options: readonly string[];
    timeout: number;
    onLine: (line: string) => void;
  },
): Command {
  return {
    program: "nix-store",
    args: [
      ...["--realise", path, "--add-root", link],
      ...["--log-format", "internal-json", ...options],
    ],
    // English messages, because failures are recognized by them.
    env: { LC_ALL: "C" },
    timeout,
    capture: false,
    onLine,
  };
}

/**
 * Returns the command that lists what must be fetched of a store path, without
 * fetching it. The list is on standard error.
 */
export function dryRealise(
  system: string,
  options: readonly string[],
): Command {
  return {
    program: "nix-store",
    args: ["--realise", "--dry-run", system, ...options],
    env: { LC_ALL: "C" },
    timeout: 60_000,
    capture: false,
  };
}

/**
 * Returns whether a derivation's builder may not use the network, because its
 * output has no fixed hash; `false` if the file cannot be read.
 *
 * @param drv The path of a derivation, in Nix's format "ATerm".
 */
export function isOffline(drv: string): boolean {
  try {
    using file = Deno.openSync(drv);
    const bytes = new Uint8Array(4096);
    const text = new TextDecoder().decode(
      bytes.subarray(0, file.readSync(bytes) ?? 0),
    );
    // A fixed output is the only output, and its name is always `out`.
    const hash = /^Derive\(\[\("[^"]*","[^"]*","[^"]*","([^"]*)"\)/.exec(text);
    return hash?.[1] === "";
  } catch {
    return false;
  }
}

/** A generation of a profile. */
export interface Generation {
  number: number;
  system: string;
}

/** Returns the generations of a profile, unordered (nix-env(1), "PROFILES"). */
export function generationsOf(profile: string): Generation[] {
  const slash = profile.lastIndexOf("/");
  const folder = profile.slice(0, slash), name = profile.slice(slash + 1);
  return [...Deno.readDirSync(folder)].flatMap((entry) => {
    const [start, number, ...rest] = entry.name.slice(name.length).split("-");
    const isOne = entry.isSymlink && entry.name.startsWith(name) &&
      start === "" && /^\d+$/.test(number ?? "") && rest.join("-") === "link";
    if (!isOne) return [];
    const system = Deno.readLinkSync(`${folder}/${entry.name}`);
    return [{ number: Number(number), system }];
  });
}

/**
 * Returns the command that deletes generations of a profile by their numbers.
 */
export function deleteGenerations(
  profile: string,
  numbers: readonly number[],
): Command {
  return {
    program: "nix-env",
    args: [
      "--profile",
      profile,
      "--delete-generations",
      ...numbers.map(String),
    ],
    timeout: patience,
  };
}

/**
 * Returns the command that deletes unreachable store paths, but no generation.
 */
export function collectGarbage(): Command {
  return { program: "nix-store", args: ["--gc"], timeout: 2 * 3_600_000 };
}
