/**
 * A person's request to pause deployments on this host. It has its own file, so
 * that it can be written while a run holds the lock and the state.
 *
 * @module
 */
import { SyncError } from "../base/errors.ts";
import { ensurePrivateDir, readIfThere, writeWhole } from "../host/files.ts";

/** The content of `suspended.json`. */
export interface Suspension {
  since: string;
  /** When it ends by itself, ISO 8601; `null`: only with `resume`. */
  until: string | null;
  reason: string | null;
  /** Who requested it. An older program did not store it. */
  by?: string;
}

const pathIn = (folder: string) => `${folder}/suspended.json`;

/**
 * Returns the current suspension, if any.
 *
 * @throws {SyncError} `state-unreadable`: a broken file must not allow a run
 * that a person wanted to stop.
 */
export function readSuspension(
  folder: string,
  now: Date,
): Suspension | undefined {
  const text = readIfThere(pathIn(folder));
  if (text === undefined) return undefined;
  try {
    const suspension: Suspension = JSON.parse(text);
    if (typeof suspension?.since !== "string") {
      throw new Error("it has no start time");
    }
    const { until } = suspension;
    if (until !== null && Number.isNaN(Date.parse(until))) {
      throw new Error("its end is not a time");
    }
    return until === null || now < new Date(until) ? suspension : undefined;
  } catch (error) {
    throw new SyncError(
      `Cannot read ${pathIn(folder)}: ${(error as Error).message}`,
      {
        stage: "state",
        reason: "state-unreadable",
        next: "stop",
        hints: [
          "run gitops-sync resume to end the suspension, or gitops-sync suspend to write it again",
        ],
      },
    );
  }
}

/** Suspends this host. */
export async function writeSuspension(
  folder: string,
  suspension: Suspension,
): Promise<void> {
  await ensurePrivateDir(folder);
  await writeWhole(pathIn(folder), `${JSON.stringify(suspension)}\n`);
}

/** Ends a suspension; returns `false` if there was none. */
export async function removeSuspension(folder: string): Promise<boolean> {
  try {
    await Deno.remove(pathIn(folder));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
