/**
 * Compares the packages of two systems, with their sizes.
 *
 * `nix store diff-closures` reports the same, but its output differs between
 * versions of Nix. All versions answer the queries here in the same way.
 *
 * @module
 */
import type { Command, Effects } from "../base/effects.ts";
import { isStorePath } from "../base/names.ts";

/** One package with different versions. */
export interface PackageChange {
  name: string;
  /** The versions of the old system, and those of the new one; sorted. */
  before: readonly string[];
  after: readonly string[];
  /** Additional bytes in the new closure; negative if it is smaller. */
  bytes: number;
}

/** The differences between two closures. */
export interface PackageChanges {
  /** By name; packages with a changed, added or removed version. */
  changed: readonly PackageChange[];
  /** How many store paths changed with the same name and version. */
  rebuilt: number;
  /** Bytes of both closures; `null` if there is no old system. */
  before: number | null;
  after: number;
}

/** Milliseconds; a closure of some thousand paths takes a second. */
const patience = 5 * 60_000;

/** Paths in one call, so that no argument list is too long (execve(2)). */
const mostAtOnce = 500;

/** The least difference in bytes that is shown for a path without a version. */
const worthALine = 64 * 1024;

/**
 * Compares the closures of two systems.
 *
 * @param before The old one; none: everything is new.
 * @returns `undefined` if the store does not answer.
 */
export async function comparePackages(
  effects: Pick<Effects, "run">,
  before: string | null,
  after: string,
): Promise<PackageChanges | undefined> {
  const olds = before === null ? [] : await closureOf(effects, before);
  const news = await closureOf(effects, after);
  if (!olds || !news) return undefined;
  const sizes = await sizesOf(effects, [...new Set([...olds, ...news])]);
  if (!sizes) return undefined;
  const differing = changesBetween(olds, news, sizes);
  const total = (paths: readonly string[]) =>
    paths.reduce((sum, path) => sum + sizes.get(path)!, 0);
  return {
    ...differing,
    before: before === null ? null : total(olds),
    after: total(news),
  };
}

/** Returns the changes between two lists of store paths. Pure. */
export function changesBetween(
  olds: readonly string[],
  news: readonly string[],
  sizes: ReadonlyMap<string, number>,
): Pick<PackageChanges, "changed" | "rebuilt"> {
  const had = new Set(olds), has = new Set(news);
  const gone = grouped(olds.filter((path) => !has.has(path)));
  const come = grouped(news.filter((path) => !had.has(path)));
  const changed: PackageChange[] = [];
  let rebuilt = 0;
  for (const name of new Set([...gone.keys(), ...come.keys()])) {
    const before = gone.get(name) ?? [], after = come.get(name) ?? [];
    const sum = (all: typeof before) =>
      all.reduce((bytes, { path }) => bytes + (sizes.get(path) ?? 0), 0);
    const change: PackageChange = {
      name,
      before: versionsOf(before),
      after: versionsOf(after),
      bytes: sum(after) - sum(before),
    };
    if (isWorthALine(change)) changed.push(change);
    else rebuilt += Math.max(before.length, after.length);
  }
  changed.sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  return { changed, rebuilt };
}

/** Whether the versions differ, or the size of a path without a version. */
function isWorthALine({ before, after, bytes }: PackageChange): boolean {
  const isOther = before.join() !== after.join();
  return isOther || Math.abs(bytes) >= worthALine;
}

/** A store path and its version. */
interface Part {
  path: string;
  version: string;
}

function grouped(paths: readonly string[]): Map<string, Part[]> {
  const groups = new Map<string, Part[]>();
  for (const path of paths) {
    const { name, version } = partsOf(path);
    const known = groups.get(name);
    if (known) known.push({ path, version });
    else groups.set(name, [{ path, version }]);
  }
  return groups;
}

/** Returns the versions, without the empty one of a path without a version. */
function versionsOf(parts: readonly Part[]): string[] {
  const all = new Set(parts.map(({ version }) => version));
  return [...all].filter((version) => version !== "").sort();
}

// What nixpkgs calls the outputs of a package beside `out`.
const outputs =
  /-(?:bin|data|debug|dev|devdoc|dist|doc|info|lib|lib32|lib64|libexec|libs|man|modules|out|py|python|static|terminfo|tests?)$/;

/**
 * Splits a store path into name and version. The version begins at the first dash
 * before a digit (Nix manual, `builtins.parseDrvName`, which accepts any
 * character except a letter).
 */
export function partsOf(path: string): { name: string; version: string } {
  const whole = path.replace(/^\/nix\/store\/[0-9a-z]{32}-/, "")
    .replace(outputs, "");
  const [, name, version] = /^(.+?)-(\d.*)$/.exec(whole) ?? [];
  return name === undefined
    ? { name: whole, version: "" }
    : { name, version: version! };
}

/** Lists all store paths that a system needs, including itself. */
async function closureOf(
  effects: Pick<Effects, "run">,
  system: string,
): Promise<string[] | undefined> {
  const lines = await ask(effects, ["--requisites", system]);
  return lines?.every(isStorePath) && lines.length > 0 ? lines : undefined;
}

/** Returns the size in bytes of each store path. */
async function sizesOf(
  effects: Pick<Effects, "run">,
  paths: readonly string[],
): Promise<Map<string, number> | undefined> {
  const sizes = new Map<string, number>();
  for (let at = 0; at < paths.length; at += mostAtOnce) {
    const some = paths.slice(at, at + mostAtOnce);
    const lines = await ask(effects, ["--size", ...some]);
    if (lines?.length !== some.length) return undefined;
    for (const [i, path] of some.entries()) {
      const size = Number(lines[i]);
      if (!Number.isSafeInteger(size)) return undefined;
      sizes.set(path, size);
    }
  }
  return sizes;
}

async function ask(
  effects: Pick<Effects, "run">,
  args: readonly string[],
): Promise<string[] | undefined> {
  const command: Command = {
    program: "nix-store",
    args: ["--query", ...args],
    timeout: patience,
  };
  const { code, timedOut, stdout } = await effects.run(command);
  if (code !== 0 || timedOut) return undefined;
  return new TextDecoder().decode(stdout).split("\n")
    .filter((line) => line !== "");
}
