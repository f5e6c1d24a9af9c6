/**
 * The program: takes arguments, and returns the exit code.
 *
 * @module
 */
import type { ExitCode } from "../base/errors.ts";
import { perform } from "./perform.ts";

/**
 * Runs the program. It sets the umask, so that only the owner can read what a
 * command writes on the host.
 *
 * @param args The words after its name.
 * @returns its exit code; every error was reported.
 */
export async function main(args: readonly string[]): Promise<ExitCode> {
  return await perform(args, async (call, reach) => {
    Deno.umask(0o077);
    const { confined } = await import("./confine.ts");
    return await confined(call, reach);
  });
}
