/**
 * Programs that a person works with, such as an editor.
 *
 * @module
 */
import type { Command } from "../base/effects.ts";
import { start } from "./command.ts";
import { endFamily } from "./family.ts";

/**
 * Runs a program that uses the terminal, without a timeout.
 *
 * @param stop Aborts the program and all that it has started.
 * @returns its exit code.
 */
export async function attend(
  command: Omit<Command, "timeout">,
  stop: AbortSignal,
): Promise<number> {
  const child = await start({ ...command, timeout: 0 }, "inherit");
  // Not its process group, which is ours too, but the editor that it has
  // started.
  const end = () => endFamily(child.pid, ["-TERM", "-CONT"]);
  stop.addEventListener("abort", end);
  const { code } = await child.status;
  stop.removeEventListener("abort", end);
  return code;
}
