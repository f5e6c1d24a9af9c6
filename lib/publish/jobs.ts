/**
 * Decides how many hosts are evaluated at once.
 *
 * @module
 */
import { kernelText, UnseenError } from "../process/kernel.ts";

/**
 * The usual upper limit of memory for the evaluation of one NixOS host, in
 * bytes.
 */
const perHost = 2 * 2 ** 30;

/**
 * Returns the number of processors, limited by free memory, and at least 1. The
 * limit of a container counts (cgroups(7), "memory.max").
 */
export function defaultJobs(): number {
  const free = freeMemory();
  const byMemory = free === undefined ? Infinity : Math.floor(free / perHost);
  return Math.max(1, Math.min(navigator.hardwareConcurrency, byMemory));
}

/** Returns the free memory in bytes, or `undefined` if it is unknown. */
function freeMemory(): number | undefined {
  const available = /^MemAvailable:\s+(\d+) kB$/m.exec(
    read("/proc/meminfo") ?? "",
  );
  const all = [
    available ? Number(available[1]) * 1024 : NaN,
    Number(read("/sys/fs/cgroup/memory.max")?.trim() || NaN),
  ].filter(Number.isFinite);
  return all.length === 0 ? undefined : Math.min(...all);
}

function read(path: string): string | undefined {
  try {
    return kernelText(path);
  } catch (error) {
    const isUnknown = error instanceof Deno.errors.NotFound ||
      error instanceof UnseenError;
    if (isUnknown) return undefined;
    throw error;
  }
}
