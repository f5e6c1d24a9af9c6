/**
 * Reads and writes `state.json`.
 *
 * @module
 */
import type { State } from "./state.ts";
import { readIfThere, writeWhole } from "../host/files.ts";
import { oddPart, withoutOdd } from "./state_shape.ts";
import { SyncError } from "../base/errors.ts";

/** The newest layout of `state.json` that this program knows. */
export const stateVersion = 1;

export const fresh: State = { version: stateVersion, earlier: [], holds: [] };

/**
 * Reads the state; a folder without one has a fresh state.
 *
 * @throws {SyncError} `state-newer` if a newer program wrote it,
 * `state-unreadable` if it is empty, cut off or not ours. It is never
 * overwritten in these cases.
 */
export function readState(folder: string): State {
  const path = `${folder}/state.json`;
  const text = readIfThere(path);
  if (text === undefined) return fresh;
  let state: State;
  try {
    state = JSON.parse(text);
  } catch (error) {
    throw unreadable(path, (error as Error).message);
  }
  if (typeof state?.version !== "number") {
    throw unreadable(path, "it has no version");
  }
  if (state.version > stateVersion) throw newer(path, state.version);
  const wrong = state.version === stateVersion ? oddPart(state) : "version";
  if (wrong) throw unreadable(path, `${wrong} is not as expected`);
  return withoutOdd(state);
}

/**
 * Writes the state so that a power cut leaves the old or the new one.
 *
 * @throws {SyncError} as {@linkcode writeWhole}, with the old one still there.
 */
export async function writeState(folder: string, state: State): Promise<void> {
  await writeWhole(
    `${folder}/state.json`,
    `${JSON.stringify(state, null, 2)}\n`,
  );
}

export function unreadable(path: string, why: string): SyncError {
  return new SyncError(`Cannot read ${path}: ${why}`, {
    stage: "state",
    reason: "state-unreadable",
    next: "stop",
    hints: [
      `restore it from a backup, or move it aside (mv ${path} ${path}.bad): the next run then starts from the running system and trusts what the branch names now`,
    ],
  });
}

export function newer(path: string, version: number): SyncError {
  return new SyncError(
    `Cannot use ${path}: it has version ${version}, and this program knows up to ${stateVersion}`,
    {
      stage: "state",
      reason: "state-newer",
      next: "stop",
      hints: ["run the newer gitops-sync that wrote it"],
    },
  );
}
