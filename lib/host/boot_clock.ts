/**
 * The clock that counts from the boot on and that nobody sets.
 *
 * @module
 */
import { kernelText } from "../process/kernel.ts";
import { bootId } from "./system.ts";

/** Which boot it is, and the seconds since then (proc_uptime(5)). */
export function bootClock(): { boot: string; uptime: number } {
  const [uptime] = kernelText("/proc/uptime").split(" ");
  return { boot: bootId(), uptime: Number(uptime) };
}
