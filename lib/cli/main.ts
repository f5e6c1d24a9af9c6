/**
 * The program as it is started: arguments in, exit code out.
 *
 * @module
 */
import type { ExitCode } from "../base/errors.ts";
import { perform } from "./perform.ts";

/**
 * Runs the program. What a command writes on the host is for its owner alone,
 * whatever the umask of the shell that it was started from.
 *
 * @param args The words after its name.
 * @returns its exit code; every error was told.
 */
export async function main(args: readonly string[]): Promise<ExitCode> {
  return await perform(args, async (call, reach) => {
    Deno.umask(0o077);
    const { confined } = await import("./confine.ts");
    return await confined(call, reach);
  });
}
