/**
 * A process and those that come from it, wherever their groups are.
 *
 * @module
 */
import { runNow } from "./command.ts";
import { kernelNames, kernelText } from "./kernel.ts";

/** Ends a child and what it started, as far as that stayed in its group. */
export function killGroup(pid: number): void {
  const { code } = runNow("kill", ["-KILL", "--", `-${pid}`]);
  // Deno before 2.4 gives no child a group of its own.
  if (code !== 0 && isOurChild(pid)) endFamily(pid, ["-KILL"]);
}

/** Whether this is a child of ours, and not another process of that number. */
function isOurChild(pid: number): boolean {
  try {
    // What is before the last bracket is its name (proc_pid_stat(5)).
    const fields = kernelText(`/proc/${pid}/stat`).replace(/^.*\) /s, "");
    return Number(fields.split(" ")[1]) === Deno.pid;
  } catch {
    return false;
  }
}

/**
 * Ends a process with all that it has started and that still hangs on it.
 *
 * @param signals The last ends a process that was halted, or lets it go on.
 */
export function endFamily(
  pid: number,
  signals: readonly ("-TERM" | "-KILL" | "-CONT")[],
): void {
  const family = haltFamily(String(pid));
  for (const signal of signals) runNow("kill", [signal, "--", ...family]);
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
