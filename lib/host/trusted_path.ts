/**
 * Whether the way to a file is one that nobody else could have changed: who may
 * write to a folder on it can put another file in the place of the last one.
 *
 * @module
 */
import { errno, isNumbered } from "../base/os_error.ts";
import { dirname, resolve } from "@std/path";

const foreignWrite = 0o022;
const sticky = 0o1000;

/** Something on the way to a path that others could have changed. */
export interface Foreign {
  path: string;
  /** Completes "PATH: …". */
  why: string;
}

/**
 * The first folder or link on the way to a path that belongs to somebody else
 * than root and whoever runs this, or that others may write to. In a sticky
 * folder, as /tmp is one, nobody can replace what is another's; what is in the
 * Nix store is Nix's.
 *
 * @returns nothing where all is well, and for what is not there.
 */
export function foreignOnTheWay(path: string): Foreign | undefined {
  const seen = new Set<string>();
  // What it is itself, the caller looks at; where it leads to, we do.
  return lookAbove(path, seen) ??
    (lstat(path)?.isSymlink ? lookAt(path, seen) : undefined);
}

/** Looks at the folders above a path, from the top. */
function lookAbove(path: string, seen: Set<string>): Foreign | undefined {
  for (const folder of [...foldersAbove(path)].reverse()) {
    const found = lookAt(folder, seen);
    if (found) return found;
  }
  return undefined;
}

/** Looks at one folder or link, each once. */
function lookAt(path: string, seen: Set<string>): Foreign | undefined {
  if (seen.has(path)) return undefined;
  seen.add(path);
  const info = lstat(path);
  if (!info) return undefined;
  if (info.uid !== 0 && info.uid !== Deno.uid()) {
    return { path, why: `it belongs to user ${info.uid}` };
  }
  if (info.isSymlink) {
    const to = resolve(dirname(path), Deno.readLinkSync(path));
    return lookAbove(to, seen) ?? lookAt(to, seen);
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
