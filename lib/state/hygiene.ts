/**
 * Whether the state folder can be trusted: what is in it decides what root
 * runs, so nobody else may have put it there.
 *
 * @module
 */
import { type SyncError, usageError } from "../base/errors.ts";
import { errno, isNumbered } from "../base/os_error.ts";
import { isStorePath } from "../base/names.ts";
import { type UnsafePart, unsafePart } from "../host/trusted_path.ts";

/** Whoever may write to group or others could plant something. */
const foreignWrite = 0o022;

/**
 * The folders in it of which all that is below is believed as well: Git reads
 * its settings and objects in one, logs are shown from another, and the others
 * hold links to systems.
 */
const believed = ["repo", "attempts", "build", "roots"];
/** Those of them that hold no links. */
const withoutLinks = ["repo", "attempts"];

/**
 * Refuses a state folder, or something in or above it, that another user owns or
 * may write to, and links, pipes and devices in the place of its files. A folder
 * that is not there yet is made later, with the right mode.
 *
 * @throws {SyncError} `state-unsafe`, exit 2.
 */
export function checkStateFolder(folder: string): void {
  const foreign = unsafePart(folder);
  if (foreign) throw unsafeWay(folder, foreign);
  const info = statOf(folder, Deno.statSync);
  if (!info) return;
  if (!info.isDirectory) throw unsafe(folder, "it is not a folder");
  refuseForeign(folder, info);
  for (const { name } of entriesOf(folder)) {
    const path = `${folder}/${name}`;
    const entry = checkEntry(path, name === "previous");
    if (entry?.isFile && entry.nlink !== null && entry.nlink > 1) {
      throw unsafe(path, "the same file has another name elsewhere");
    }
    if (believed.includes(name)) checkBelow(path, !withoutLinks.includes(name));
  }
}

/** Git's own files may have two names where a crash has left a temporary one. */
function checkBelow(folder: string, mayLink: boolean): void {
  for (const { name } of entriesOf(folder)) {
    const path = `${folder}/${name}`;
    if (checkEntry(path, mayLink)?.isDirectory) checkBelow(path, mayLink);
  }
}

/**
 * @param mayLink Whether it may keep a system from garbage collection.
 * @returns nothing if it has gone since, as a run under way renames and removes.
 */
function checkEntry(path: string, mayLink: boolean): Deno.FileInfo | undefined {
  const entry = statOf(path, Deno.lstatSync);
  if (!entry) return undefined;
  if (entry.isSymlink) {
    const to = mayLink ? ifThere(() => Deno.readLinkSync(path)) : "";
    if (to === undefined) return undefined;
    if (!isStorePath(to)) throw unsafe(path, "it is a link");
    refuseOwner(path, entry);
    return entry;
  }
  if (!entry.isFile && !entry.isDirectory) {
    throw unsafe(path, "it is neither a file nor a folder");
  }
  refuseForeign(path, entry);
  return entry;
}

function refuseForeign(path: string, entry: Deno.FileInfo): void {
  refuseOwner(path, entry);
  if ((entry.mode! & foreignWrite) === 0 || mend(path, entry)) return;
  throw unsafe(path, "others than its owner may write to it");
}

/**
 * Takes the right to write from root's own group, which has no other members
 * unless somebody makes them root's equals: a run with another umask gave it.
 */
function mend(path: string, { mode, uid, gid }: Deno.FileInfo): boolean {
  const isOwn = uid === 0 && gid === 0 && Deno.uid() === 0;
  if (!isOwn || (mode! & 0o002) !== 0) return false;
  ifThere(() => Deno.chmodSync(path, mode! & 0o7777 & ~foreignWrite));
  return true;
}

function refuseOwner(path: string, { uid }: Deno.FileInfo): void {
  if (uid !== 0 && uid !== Deno.uid()) {
    throw unsafe(path, `it belongs to user ${uid}`);
  }
}

function entriesOf(folder: string): Deno.DirEntry[] {
  return ifThere(() => [...Deno.readDirSync(folder)]) ?? [];
}

function statOf(
  path: string,
  stat: (path: string) => Deno.FileInfo,
): Deno.FileInfo | undefined {
  return ifThere(() => stat(path));
}

/** Nothing where it is away; who may not look is told so by what needs it. */
function ifThere<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    const isAway = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.PermissionDenied ||
      isNumbered(error, errno.notAFolder);
    if (isAway) return undefined;
    throw error;
  }
}

function unsafeWay(folder: string, { path, why }: UnsafePart): SyncError {
  return usageError(
    "state-unsafe",
    `Cannot trust ${folder}: ${path} leads to it, and ${why}`,
    "name a stateDirectory below folders of root alone, or: chown root and chmod go-w that folder",
  );
}

function unsafe(path: string, why: string): SyncError {
  return usageError(
    "state-unsafe",
    `Cannot trust ${path}: ${why}`,
    `find out who did that, then: chown -R root: and chmod -R go-w the state folder, or remove it; a new one trusts what the branch names then`,
  );
}
