/**
 * What the kernel tells in /proc and /sys. Deno keeps these from every program
 * that may not do anything at all, and ours may not (lib/cli/permissions.ts):
 * other programs look for it.
 *
 * @module
 */
import { askNow, runNow } from "./command.ts";

/** One of its files could not be looked at, which says nothing of the file. */
export class UnseenError extends Error {
  override name = "UnseenError";
}

/**
 * The text of one of its files.
 *
 * @throws {Deno.errors.NotFound} where there is none, or its process has ended.
 * @throws {UnseenError} where nobody could look: `cat` was killed, or could not
 * read it.
 */
export function kernelText(path: string): string {
  const { code, stdout, stderr } = askNow("cat", ["--", path]);
  if (code === 0) return stdout;
  if (/: No such (file or directory|process|device)\n$/.test(stderr)) {
    throw new Deno.errors.NotFound(path);
  }
  const why = stderr.trim() || `cat ended with code ${code}`;
  throw new UnseenError(`${path}: ${why}`);
}

/** The texts of some of its files, one after the other; what is gone has none. */
export function kernelTexts(paths: readonly string[]): string {
  return runNow("cat", ["--", ...paths]).stdout;
}

/** The names in one of its folders; none where there is no such folder. */
export function kernelNames(folder: string): string[] {
  return runNow("ls", ["-1A", "--", folder]).stdout.split("\n")
    .filter((name) => name !== "");
}

/**
 * What a path leads to, as `DEVICE:INODE`; `undefined` where that can't be told.
 */
export function identityOf(path: string): string | undefined {
  const args = ["--dereference", "--format=%d:%i", "--", path];
  const { code, stdout } = runNow("stat", args);
  return code === 0 ? stdout.trim() : undefined;
}

/** The words that each process was started with, by its number. */
export function commandLines(): Map<string, string[]> {
  const pids = kernelNames("/proc").filter((name) => /^\d+$/.test(name));
  // All of them at once, each under a heading as head(1) writes it.
  const { stdout } = runNow("head", [
    "--verbose",
    "--bytes=4096",
    "--",
    ...pids.map((pid) => `/proc/${pid}/cmdline`),
  ]);
  const [, ...parts] = stdout.split(/(?:^|\n)==> \/proc\/(\d+)\/cmdline <==\n/);
  const lines = parts.flatMap((pid, i): [string, string[]][] =>
    i % 2 === 0 ? [[pid, parts[i + 1]!.split("\0")]] : []
  );
  return new Map(lines);
}
