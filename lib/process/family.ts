/**
 * Stops a process with all its descendants, whatever their process groups.
 *
 * @module
 */
import { runNow } from "./command.ts";
import { kernelNames, kernelText } from "./kernel.ts";

/** Kills a child and its process group. */
export function killGroup(pid: number): void {
  const { code } = runNow("kill", ["-KILL", "--", `-${pid}`]);
  // Deno before 2.4 gives children no process group of their own.
  if (code !== 0 && isOurChild(pid)) endFamily(pid, ["-KILL"]);
}

/** Returns whether this is our child, and not another process with that id. */
function isOurChild(pid: number): boolean {
  try {
    // Everything before the last bracket is its name (proc_pid_stat(5)).
    const fields = kernelText(`/proc/${pid}/stat`).replace(/^.*\) /s, "");
    return Number(fields.split(" ")[1]) === Deno.pid;
  } catch {
    return false;
  }
}

/**
 * Sends signals to a process and all its descendants.
 *
 * @param signals The last one must kill a stopped process or let it continue.
 */
export function endFamily(
  pid: number,
  signals: readonly ("-TERM" | "-KILL" | "-CONT")[],
): void {
  const family = haltFamily(String(pid));
  for (const signal of signals) runNow("kill", [signal, "--", ...family]);
}

/**
 * Stops a process and its descendants (proc(5)). Each is stopped before its
 * children are listed, so that no new one is missed.
 */
function haltFamily(pid: string): string[] {
  runNow("kill", ["-STOP", "--", pid]);
  return [pid, ...childrenOf(pid).flatMap(haltFamily)];
}

/** Each thread has its own list of children. */
function childrenOf(pid: string): string[] {
  return kernelNames(`/proc/${pid}/task`).flatMap((thread) => {
    try {
      const list = kernelText(`/proc/${pid}/task/${thread}/children`);
      return list.trim().split(" ").filter((id) => id !== "");
    } catch {
      // It has already ended.
      return [];
    }
  });
}
