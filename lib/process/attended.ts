/**
 * Programs that a person works with, such as an editor.
 *
 * @module
 */
import type { Command } from "../base/effects.ts";
import { runNow, start } from "./command.ts";
import { kernelNames, kernelText } from "./kernel.ts";

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
  const end = () => {
    const family = haltFamily(String(child.pid));
    for (const signal of ["-TERM", "-CONT"]) {
      runNow("kill", [signal, "--", ...family]);
    }
  };
  stop.addEventListener("abort", end);
  const { code } = await child.status;
  stop.removeEventListener("abort", end);
  return code;
}

/**
 * Halts a process and those that come from it (proc(5)), each before its
 * children are looked for, so that none comes after the look.
 */
function haltFamily(pid: string): string[] {
  runNow("kill", ["-STOP", "--", pid]);
  return [pid, ...childrenOf(pid).flatMap(haltFamily)];
}

/** Each of its threads has a list of its own. */
function childrenOf(pid: string): string[] {
  return kernelNames(`/proc/${pid}/task`).flatMap((thread) => {
    try {
      const list = kernelText(`/proc/${pid}/task/${thread}/children`);
      return list.trim().split(" ").filter((id) => id !== "");
    } catch {
      // It has ended by itself.
      return [];
    }
  });
}
