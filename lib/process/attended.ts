/**
 * Programs that a person works with, such as an editor.
 *
 * @module
 */
import type { Command } from "../base/effects.ts";
import { start } from "./command.ts";
import { endFamily } from "./family.ts";

/**
 * Runs a program that has the terminal, and as much time as it takes.
 *
 * @param stop Aborted when it has to end, with all that it has started.
 * @returns its exit code.
 */
export async function attend(
  command: Omit<Command, "timeout">,
  stop: AbortSignal,
): Promise<number> {
  const child = await start({ ...command, timeout: 0 }, "inherit");
  // Not its group, which is ours too; but the editor that it has started.
  const end = () => endFamily(child.pid, ["-TERM", "-CONT"]);
  stop.addEventListener("abort", end);
  const { code } = await child.status;
  stop.removeEventListener("abort", end);
  return code;
}
