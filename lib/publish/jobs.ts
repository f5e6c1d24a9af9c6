/**
 * How many hosts are evaluated at once.
 *
 * @module
 */
import { kernelText, UnseenError } from "../process/kernel.ts";

/** What the evaluation of one NixOS host takes at most as a rule, in bytes. */
const perHost = 2 * 2 ** 30;

/**
 * One for each processor, as far as the memory that is free allows, and at
 * least one. A container's own limit counts (cgroups(7), "memory.max").
 */
export function usualJobs(): number {
  const free = freeMemory();
  const byMemory = free === undefined ? Infinity : Math.floor(free / perHost);
  return Math.max(1, Math.min(navigator.hardwareConcurrency, byMemory));
}

/** Bytes; nothing where that can't be told. */
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
