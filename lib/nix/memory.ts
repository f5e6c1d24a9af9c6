/**
 * Limits the memory of an evaluation.
 *
 * @module
 */
import type { Command, Effects, Finished } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { formatSize } from "../base/size.ts";
import type { Config } from "../config/schema.ts";
import { machineMemory } from "../host/confined_unit.ts";

/**
 * Returns the limits of memory and swap, in bytes.
 *
 * @param limit The limit of the configuration.
 */
export function memoryFor(
  limit: number | undefined,
): { ram: number; swap: number } {
  if (limit !== undefined) return { ram: limit, swap: 0 };
  const { ram, swap } = machineMemory();
  return { ram: Math.floor(ram * 0.75), swap: Math.floor(swap * 0.75) };
}

/**
 * Runs an evaluation as root, with the same memory limit as a unit has. The
 * builders of Nix are not counted: they have sessions of their own.
 *
 * @throws {SyncError} `out-of-memory`, stage `build`.
 */
export async function runWithin(
  effects: Effects,
  config: Config,
  revision: string,
  command: Command,
): Promise<Finished> {
  const { ram, swap } = memoryFor(config["limits.evaluation"]);
  const limits = { memory: ram + swap, session: true };
  try {
    return await effects.run({ ...command, limits });
  } catch (error) {
    throw isOverLimit(error) ? tooLarge(revision, config) : error;
  }
}

/** Returns whether a program was killed because it exceeded its limits. */
export function isOverLimit(error: unknown): boolean {
  return error instanceof SyncError && error.reason === "limit";
}

/** Returns the error for an evaluation that exceeded its memory limit. */
export function tooLarge(revision: string, config: Config): SyncError {
  const limit = config["limits.evaluation"];
  return new SyncError(
    `Cannot build ${revision}: the evaluation needs more memory than ${
      limit === undefined
        ? "this machine has to spare"
        : `${formatSize(limit)} (limits.evaluation)`
    }`,
    {
      stage: "build",
      reason: "out-of-memory",
      next: "retry",
      hints: [
        "Raise limits.evaluation, or build on another machine (build.from: cache). The next run tries again.",
      ],
    },
  );
}
