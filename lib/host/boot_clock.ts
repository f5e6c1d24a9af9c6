/**
 * The clock that counts from the boot, and that nobody can set.
 *
 * @module
 */
import { kernelText } from "../process/kernel.ts";
import { bootId } from "./system.ts";

/** Returns the boot id, and the seconds since the boot (proc_uptime(5)). */
export function bootClock(): { boot: string; uptime: number } {
  const [uptime] = kernelText("/proc/uptime").split(" ");
  return { boot: bootId(), uptime: Number(uptime) };
}
