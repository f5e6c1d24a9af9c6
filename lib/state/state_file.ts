/**
 * Reads and writes `state.json`.
 *
 * @module
 */
import type { State } from "./state.ts";
import { readIfThere, writeWhole } from "../host/files.ts";
import { withoutWrongParts, wrongPart } from "./state_shape.ts";
import { SyncError } from "../base/errors.ts";
import { digestOf } from "../base/digest.ts";
import { short } from "../base/text.ts";

/** The newest layout of `state.json` that this program knows. */
export const stateVersion = 1;

/** The state of a folder without a state file. */
export const fresh: State = { version: stateVersion, earlier: [], holds: [] };

/** The parts of the file that protect the others. */
interface Sealed {
  /** SHA-256, in hex, of all other parts as JSON. */
  checksum?: string;
  /**
   * When it was written, in milliseconds since 1970, in whole seconds. The file
   * has the same modification time.
   */
  sealedAt?: number;
}

/**
 * Reads the state; a folder without one has a fresh state.
 *
 * @throws {SyncError} `state-newer` if a newer program wrote it,
 * `state-unreadable` if it is empty, truncated or not of this program,
 * `state-damaged` if its content has changed. It is never overwritten in these
 * cases.
 */
export async function readState(folder: string): Promise<State> {
  const path = pathIn(folder);
  const text = readIfThere(path);
  if (text === undefined) return fresh;
  try {
    return await parse(path, text);
  } catch (error) {
    throw await withCopy(folder, error);
  }
}

async function parse(path: string, text: string): Promise<State> {
  let sealed: State & Sealed;
  try {
    sealed = JSON.parse(text);
  } catch (error) {
    throw unreadable(path, (error as Error).message);
  }
  if (typeof sealed?.version !== "number") {
    throw unreadable(path, "it has no version");
  }
  if (sealed.version > stateVersion) throw newer(path, sealed.version);
  if (await isDamaged(path, sealed)) throw damaged(path);
  const { checksum: _, sealedAt: __, ...state } = sealed;
  const wrong = state.version === stateVersion ? wrongPart(state) : "version";
  if (wrong) throw unreadable(path, `${wrong} is not as expected`);
  return withoutWrongParts(state);
}

/**
 * Whether the content has changed since this program wrote it. An older program
 * keeps the checksum and changes the rest, and a person may edit the file: in
 * both cases the file has another time.
 */
async function isDamaged(
  path: string,
  { checksum, sealedAt, ...state }: State & Sealed,
): Promise<boolean> {
  if (checksum === undefined && sealedAt === undefined) return false;
  if (checksum === await checksumOf(state)) return false;
  return Deno.statSync(path).mtime?.getTime() === sealedAt;
}

/**
 * Writes the state so that a power cut leaves the old or the new one. Keeps a
 * copy of the last state without an attempt, in case this one is damaged.
 *
 * @throws {SyncError} as {@linkcode writeWhole}; the old state is then still
 * there.
 */
export async function writeState(folder: string, state: State): Promise<void> {
  if (state.attempt) await keepCopy(folder);
  const sealedAt = Math.floor(Date.now() / 1000) * 1000;
  const checksum = await checksumOf(state);
  await writeWhole(
    pathIn(folder),
    `${JSON.stringify({ ...state, checksum, sealedAt }, null, 2)}\n`,
    new Date(sealedAt),
  );
}

/** Copies the state to `state.json.previous`, unless it has an attempt. */
async function keepCopy(folder: string): Promise<void> {
  const text = readIfThere(pathIn(folder));
  if (text === undefined) return;
  const { attempt, sealedAt }: State & Sealed = JSON.parse(text);
  if (attempt) return;
  const time = sealedAt === undefined ? undefined : new Date(sealedAt);
  await writeWhole(copyIn(folder), text, time);
}

/** Returns the error, with a hint about the copy if there is a readable one. */
async function withCopy(folder: string, error: unknown): Promise<unknown> {
  const isLost = error instanceof SyncError &&
    ["state-damaged", "state-unreadable"].includes(error.reason);
  const text = isLost ? readIfThere(copyIn(folder)) : undefined;
  if (!isLost || text === undefined) return error;
  try {
    const { lastGood } = await parse(copyIn(folder), text);
    const knows = lastGood
      ? `its last good revision is ${
        short(lastGood.revision)
      } of ${lastGood.at}`
      : "it knows no good revision yet";
    return new SyncError(error.message, {
      ...error,
      hints: [
        `restore the intact copy from before the last attempt (${knows}): mv ${
          copyIn(folder)
        } ${pathIn(folder)}`,
        ...error.hints,
      ],
    });
  } catch {
    return error;
  }
}

const pathIn = (folder: string) => `${folder}/state.json`;
const copyIn = (folder: string) => `${folder}/state.json.previous`;

async function checksumOf(state: State): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(state));
  return await digestOf("SHA-256", bytes);
}

function damaged(path: string): SyncError {
  return new SyncError(
    `Cannot trust ${path}: its content changed after it was written, because of a broken disk or memory`,
    {
      stage: "state",
      reason: "state-damaged",
      next: "stop",
      hints: [
        "check the disk and the memory: journalctl -k; dmesg",
        ...lostHints(path),
      ],
    },
  );
}

function unreadable(path: string, why: string): SyncError {
  return new SyncError(`Cannot read ${path}: ${why}`, {
    stage: "state",
    reason: "state-unreadable",
    next: "stop",
    hints: lostHints(path),
  });
}

function lostHints(path: string): string[] {
  return [
    `restore it from a backup, or move it aside (mv ${path} ${path}.bad): the next run then starts from the running system and trusts the current tip of the branch`,
  ];
}

function newer(path: string, version: number): SyncError {
  return new SyncError(
    `Cannot use ${path}: it has version ${version}, and this program supports versions up to ${stateVersion}`,
    {
      stage: "state",
      reason: "state-newer",
      next: "stop",
      hints: ["run the gitops-sync that wrote it, or a newer one"],
    },
  );
}
