/**
 * Checks whether the state folder can be trusted. Its content decides what root
 * runs, so only root may be able to write it.
 *
 * @module
 */
import { type SyncError, usageError } from "../base/errors.ts";
import { errno, isNumbered } from "../base/os_error.ts";
import { isStorePath } from "../base/names.ts";
import { type UnsafePart, unsafePart } from "../host/trusted_path.ts";

/** The mode bits that let group or others write. */
const foreignWrite = 0o022;

/**
 * The folders whose whole content is trusted as well: Git reads settings and
 * objects from one, logs are shown from another, and the others contain links
 * to systems.
 */
const believed = ["repo", "attempts", "build", "roots"];
/** Those of them that contain no links. */
const withoutLinks = ["repo", "attempts"];

/**
 * Refuses a state folder if another user owns it, something in it or a folder
 * above it, or may write to them. Also refuses links, pipes and devices in
 * place of its files. A missing folder is created later, with the right mode.
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
      throw unsafe(path, "it is a hard link: the same file has another name");
    }
    if (believed.includes(name)) checkBelow(path, !withoutLinks.includes(name));
  }
}

/**
 * Checks everything below a folder. Git's own files may have two names after a
 * crash.
 */
function checkBelow(folder: string, mayLink: boolean): void {
  for (const { name } of entriesOf(folder)) {
    const path = `${folder}/${name}`;
    if (checkEntry(path, mayLink)?.isDirectory) checkBelow(path, mayLink);
  }
}

/**
 * @param mayLink Whether links that protect a system from garbage collection
 * are allowed.
 * @returns `undefined` if it was removed in the meantime, for example by a
 * running sync.
 */
function checkEntry(path: string, mayLink: boolean): Deno.FileInfo | undefined {
  const entry = statOf(path, Deno.lstatSync);
  if (!entry) return undefined;
  if (entry.isSymlink) {
    const to = mayLink ? ifThere(() => Deno.readLinkSync(path)) : "";
    if (to === undefined) return undefined;
    if (!isStorePath(to)) throw unsafe(path, "it is a symbolic link");
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
  if ((entry.mode! & foreignWrite) === 0 || fixMode(path, entry)) return;
  throw unsafe(path, "users other than its owner may write to it");
}

/**
 * Removes write permission for root's group, which a run with another umask may
 * have set. Other members of that group are equal to root anyway.
 */
function fixMode(path: string, { mode, uid, gid }: Deno.FileInfo): boolean {
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

/**
 * Returns `undefined` if it is missing. Without permission as well: the code
 * that needs the file reports that.
 */
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
    `set stateDirectory to a folder that only root can change, or run: chown root ${path}; chmod go-w ${path}`,
  );
}

function unsafe(path: string, why: string): SyncError {
  return usageError(
    "state-unsafe",
    `Cannot trust ${path}: ${why}`,
    "find out who did this; then run chown -R root: and chmod -R go-w on the state folder, or remove it (a new one trusts the current tip of the branch)",
  );
}
