/**
 * What the kernel tells in /proc and /sys. Deno keeps these from every program
 * that may not do anything at all, and the packaged one may not
 * (nix/package.nix): where Deno refuses, programs look for it.
 *
 * @module
 */
import { runNow } from "./command.ts";

/** `look`, or what a program says where Deno refuses to look. */
function orElse<T>(look: () => T, ask: () => T): T {
  try {
    return look();
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return ask();
    throw error;
  }
}

/**
 * The text of one of its files.
 *
 * @throws {Deno.errors.NotFound} where there is none, or it can't be read.
 */
export function kernelText(path: string): string {
  return orElse(() => Deno.readTextFileSync(path), () => {
    const { code, stdout } = runNow("cat", ["--", path]);
    if (code === 0) return stdout;
    throw new Deno.errors.NotFound(path);
  });
}

/** The texts of some of its files, one after the other; what is gone has none. */
export function kernelTexts(paths: readonly string[]): string {
  return orElse(
    () => paths.map(textIfThere).join(""),
    () => runNow("cat", ["--", ...paths]).stdout,
  );
}

function textIfThere(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return "";
  }
}

/** The names in one of its folders; none where there is no such folder. */
export function kernelNames(folder: string): string[] {
  try {
    return orElse(
      () => Array.from(Deno.readDirSync(folder), ({ name }) => name),
      () =>
        runNow("ls", ["-1A", "--", folder]).stdout.split("\n")
          .filter((name) => name !== ""),
    );
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** The words that each process was started with, by its number. */
export function commandLines(): Map<string, string[]> {
  const pids = kernelNames("/proc").filter((name) => /^\d+$/.test(name));
  const lines = orElse(() => pids.flatMap(lineOf), () => linesOf(pids));
  return new Map(lines.map(([pid, line]) => [pid, line.split("\0")]));
}

type Line = [pid: string, line: string];

function lineOf(pid: string): Line[] {
  // Empty, where it ended between our look at the list and at it.
  const line = textIfThere(`/proc/${pid}/cmdline`);
  return line === "" ? [] : [[pid, line]];
}

/** All of them at once, each under a heading as head(1) writes it. */
function linesOf(pids: readonly string[]): Line[] {
  const { stdout } = runNow("head", [
    "--verbose",
    "--bytes=4096",
    "--",
    ...pids.map((pid) => `/proc/${pid}/cmdline`),
  ]);
  const [, ...parts] = stdout.split(/(?:^|\n)==> \/proc\/(\d+)\/cmdline <==\n/);
  return parts.flatMap((pid, i): Line[] =>
    i % 2 === 0 ? [[pid, parts[i + 1]!]] : []
  );
}
