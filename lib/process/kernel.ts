/**
 * Reads files of the kernel in /proc and /sys. Deno does not let our program
 * read them, because it may not do everything (lib/cli/permissions.ts). So
 * other programs read them.
 *
 * @module
 */
import { askNow, runNow } from "./command.ts";

/**
 * A file of the kernel could not be read. This says nothing about its content.
 */
export class UnseenError extends Error {
  override name = "UnseenError";
}

/**
 * Returns the text of a file of the kernel.
 *
 * @throws {Deno.errors.NotFound} if it does not exist, or its process has
 * ended.
 * @throws {UnseenError} if `cat` was killed or could not read it.
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

/**
 * Returns the texts of files of the kernel in a row; a missing file has none.
 */
export function kernelTexts(paths: readonly string[]): string {
  return runNow("cat", ["--", ...paths]).stdout;
}

/** Returns the names in a folder of the kernel; none if it does not exist. */
export function kernelNames(folder: string): string[] {
  return runNow("ls", ["-1A", "--", folder]).stdout.split("\n")
    .filter((name) => name !== "");
}

/**
 * Returns the file that a path leads to as `DEVICE:INODE`; `undefined` if
 * unknown.
 */
export function identityOf(path: string): string | undefined {
  const args = ["--dereference", "--format=%d:%i", "--", path];
  const { code, stdout } = runNow("stat", args);
  return code === 0 ? stdout.trim() : undefined;
}

/** Returns the command line of each process, by its id. */
export function commandLines(): Map<string, string[]> {
  const pids = kernelNames("/proc").filter((name) => /^\d+$/.test(name));
  // All with one call of head(1), which writes a heading for each file.
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
