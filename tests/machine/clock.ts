/**
 * A clock that a test may set, for the systemd of a machine alone.
 *
 * @module
 */
import { join } from "node:path";
import { output, run } from "../world/program.ts";
import type { Machine } from "./machine.ts";

/** Why there can be no such clock on this computer, or `null`. */
export async function clockRefusal(): Promise<string | null> {
  const { code } = await run(["sh", "-c", "command -v cc"]);
  return code === 0 ? null : "another clock needs a C compiler, cc";
}

/**
 * Boots a machine again with a clock of its own, and nothing off yet.
 *
 * @returns what sets it: seconds by which it is ahead of the computer's clock.
 */
export async function giveClock(
  machine: Machine,
): Promise<(ahead: number) => void> {
  await makeClock(`${machine.shared}/clock.so`);
  const set = (ahead: number) => machine.write("/etc/clock", `${ahead}\n`);
  set(0);
  await machine.powerCut();
  await machine.bootAgain();
  return set;
}

/** Makes the library, for a program that has it in LD_PRELOAD. */
export async function makeClock(path: string): Promise<void> {
  const source = join(import.meta.dirname!, "clock.c");
  await output(["cc", "-shared", "-fPIC", "-O1", "-o", path, source]);
}
