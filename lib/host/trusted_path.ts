/**
 * Checks that nobody else could have replaced a file: a user who may write to a
 * folder on the path can replace everything in it.
 *
 * @module
 */
import { errno, isNumbered } from "../base/os_error.ts";
import { dirname, resolve } from "@std/path";

const foreignWrite = 0o022;
const sticky = 0o1000;

/** A part of a path that other users can change. */
export interface UnsafePart {
  path: string;
  /** Completes "PATH: …". */
  why: string;
}

/**
 * Returns the first folder or link on a path that belongs to another user than
 * root and the current one, or that others may write to. In a sticky folder,
 * such as /tmp, nobody can replace the files of others. Nix protects the Nix
 * store.
 *
 * @returns `undefined` if the path is safe or does not exist.
 */
export function unsafePart(path: string): UnsafePart | undefined {
  const seen = new Set<string>();
  // The caller checks the file itself; we check where a link leads.
  return checkAbove(path, seen) ??
    (lstat(path)?.isSymlink ? checkOne(path, seen) : undefined);
}

/** Checks the folders above a path, from the top. */
function checkAbove(path: string, seen: Set<string>): UnsafePart | undefined {
  for (const folder of [...foldersAbove(path)].reverse()) {
    const found = checkOne(folder, seen);
    if (found) return found;
  }
  return undefined;
}

/** Checks a folder or link, each once. */
function checkOne(path: string, seen: Set<string>): UnsafePart | undefined {
  if (seen.has(path)) return undefined;
  seen.add(path);
  const info = lstat(path);
  if (!info) return undefined;
  if (info.uid !== 0 && info.uid !== Deno.uid()) {
    return { path, why: `it belongs to user ${info.uid}` };
  }
  if (info.isSymlink) {
    const to = resolve(dirname(path), Deno.readLinkSync(path));
    return checkAbove(to, seen) ?? checkOne(to, seen);
  }
  const mode = info.mode!;
  const isOpen = (mode & foreignWrite) !== 0 && (mode & sticky) === 0;
  return info.isDirectory && isOpen
    ? { path, why: "other users may write to it" }
    : undefined;
}

function* foldersAbove(path: string): Generator<string> {
  if (path.startsWith("/nix/store/")) return;
  for (let at = path; at !== "/";) {
    at = dirname(at);
    yield at;
  }
}

function lstat(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    const isAway = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.PermissionDenied ||
      isNumbered(error, errno.notAFolder, errno.loop);
    if (isAway) return undefined;
    throw error;
  }
}
