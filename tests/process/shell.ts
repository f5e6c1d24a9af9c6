/**
 * Runs small programs for the tests of `command.ts`.
 *
 * @module
 */
import type { Command, Finished } from "../../lib/base/effects.ts";
import { run } from "../../lib/process/run_command.ts";

/** Longer than anything here takes. */
export const patience = 30_000;

/** Runs a fixed script of the shell; `$1…` are the arguments. */
export function shell(
  script: string,
  options: Partial<Command> = {},
  interrupt?: AbortSignal,
): Promise<Finished> {
  const { args = [], ...rest } = options;
  return run({
    program: "/bin/sh",
    args: ["-c", script, "sh", ...args],
    timeout: patience,
    ...rest,
  }, interrupt);
}

/** What a program wrote to standard output. */
export const text = (finished: Finished) =>
  new TextDecoder().decode(finished.stdout);

/** Whether a process is there and no zombie (proc_pid_stat(5)). */
export function isAlive(pid: number): boolean {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return stat.slice(stat.lastIndexOf(")") + 2)[0] !== "Z";
  } catch {
    return false;
  }
}

/** Waits until none of the processes is alive, as a kill takes its time. */
export async function areGone(pids: readonly number[]): Promise<boolean> {
  for (let i = 0; i < 500 && pids.some(isAlive); i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return !pids.some(isAlive);
}
