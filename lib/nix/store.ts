/**
 * The Nix store: the system profile and garbage-collection roots.
 *
 * @module
 */
import type { Command } from "../base/effects.ts";

const patience = 5 * 60_000;

/** Points a profile at a store path, as a new generation if it is another. */
export function setProfile(profile: string, system: string): Command {
  return {
    program: "nix-env",
    args: ["--profile", profile, "--set", system],
    timeout: patience,
    shielded: true,
  };
}

/** Protects a store path from garbage collection as long as `link` exists. */
export function addRoot(link: string, system: string): Command {
  return {
    program: "nix-store",
    args: ["--realise", system, "--add-root", link],
    timeout: patience,
    shielded: true,
  };
}

/**
 * Builds a derivation, or fetches a store path and all that it needs from the
 * substituters, and protects what comes: of an output alone Nix does not know
 * how it could be built.
 *
 * @param options More arguments, and the longest it may take, in ms.
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
    // English messages: failures are told apart by them.
    env: { LC_ALL: "C" },
    timeout,
    capture: false,
    onLine,
  };
}

/**
 * Asks what has to be fetched of a store path, and fetches nothing. What it says
 * is on standard error.
 */
export function whetherThere(
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
 * Whether a derivation's builder may use no network: its output has no fixed
 * hash. `false` where the file can't be read, because that is not known then.
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
    // A fixed output is the only one, and is always called `out`.
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

/** The generations of a profile, in no order (nix-env(1), "PROFILES"). */
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

/** Deletes generations of a profile by their numbers. */
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

/** Deletes what no root of the store leads to; no generation. */
export function collectGarbage(): Command {
  return { program: "nix-store", args: ["--gc"], timeout: 2 * 3_600_000 };
}
