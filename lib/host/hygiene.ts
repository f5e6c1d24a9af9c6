/**
 * Whether the state folder can be trusted: what is in it decides what root
 * runs, so nobody else may have put it there.
 *
 * @module
 */
import { type SyncError, usageError } from "../base/errors.ts";
import { isStorePath } from "../tools/nix.ts";

/** Whoever may write to group or others could plant something. */
const foreignWrite = 0o022;

/**
 * Refuses a state folder, or something in it, that another user owns or may
 * write to, and links, pipes and devices in the place of its files. A folder
 * that is not there yet is made later, with the right mode.
 *
 * @throws {SyncError} `state-unsafe`, exit 2.
 */
export function checkStateFolder(folder: string): void {
  const info = statOf(folder, Deno.statSync);
  if (!info) return;
  if (!info.isDirectory) throw unsafe(folder, "it is not a folder");
  refuseForeign(folder, info);
  for (const { name } of entriesOf(folder)) {
    const path = `${folder}/${name}`;
    const entry = statOf(path, Deno.lstatSync);
    // Gone since, as a run under way renames and removes.
    if (!entry) continue;
    if (entry.isSymlink) {
      refuseLink(path, name, entry);
      continue;
    }
    if (!entry.isFile && !entry.isDirectory) {
      throw unsafe(path, "it is neither a file nor a folder");
    }
    refuseForeign(path, entry);
    if (entry.isFile && entry.nlink !== null && entry.nlink > 1) {
      throw unsafe(path, "the same file has another name elsewhere");
    }
  }
}

/** One name is a link: it keeps a system from garbage collection. */
function refuseLink(path: string, name: string, { uid }: Deno.FileInfo): void {
  const isRoot = name === "previous" && isStorePath(Deno.readLinkSync(path));
  if (!isRoot) throw unsafe(path, "it is a link");
  if (uid !== 0 && uid !== Deno.uid()) {
    throw unsafe(path, `it belongs to user ${uid}`);
  }
}

function refuseForeign(path: string, { uid, mode }: Deno.FileInfo): void {
  if (uid !== 0 && uid !== Deno.uid()) {
    throw unsafe(path, `it belongs to user ${uid}`);
  }
  if ((mode! & foreignWrite) !== 0) {
    throw unsafe(path, "others than its owner may write to it");
  }
}

function entriesOf(folder: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(folder)];
  } catch (error) {
    // Who may not read it is told so by whatever needs it.
    if (error instanceof Deno.errors.PermissionDenied) return [];
    throw error;
  }
}

function statOf(
  path: string,
  stat: (path: string) => Deno.FileInfo,
): Deno.FileInfo | undefined {
  try {
    return stat(path);
  } catch (error) {
    const isAway = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.PermissionDenied ||
      error instanceof Deno.errors.NotADirectory;
    if (isAway) return undefined;
    throw error;
  }
}

function unsafe(path: string, why: string): SyncError {
  return usageError(
    "state-unsafe",
    `Cannot trust ${path}: ${why}`,
    `find out who did that, then: chown -R root: and chmod -R go-w the state folder, or remove it; a new one trusts what the branch names then`,
  );
}
