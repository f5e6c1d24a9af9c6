/**
 * A person's checkout: its top folder, its files, and the files with their
 * recipients.
 *
 * @module
 */
import { dirname, join, relative, resolve } from "@std/path";
import { exists } from "@std/fs";
import type { Effects } from "../../base/effects.ts";
import { usageError } from "../../base/errors.ts";
import { oneLine } from "../../base/text.ts";
import { localGit } from "../../git/git.ts";

/** The place of a file in a checkout. */
export interface Place {
  /** The top folder of the checkout, with links resolved. */
  top: string;
  /** The file's path from there. */
  path: string;
}

/**
 * Finds the checkout of a path; the file itself may be missing.
 *
 * @throws {SyncError} `no-checkout`, exit 2.
 */
export async function placeOf(file: string): Promise<Place> {
  const absolute = resolve(file);
  const folder = await Deno.realPath(dirname(absolute)).catch(() =>
    dirname(absolute)
  );
  // Resolves a link to its file, if that exists.
  const real = await Deno.realPath(absolute).catch(() =>
    join(folder, absolute.slice(absolute.lastIndexOf("/") + 1))
  );
  const isFolder = (await Deno.stat(real).catch(() => undefined))?.isDirectory;
  for (let top = isFolder ? real : dirname(real);;) {
    if (await exists(join(top, ".git"))) {
      return { top, path: relative(top, real) };
    }
    const above = dirname(top);
    if (above === top) break;
    top = above;
  }
  throw usageError(
    "no-checkout",
    `Cannot use ${oneLine(file)}: it is not in a checkout of a Git repository`,
    "change to the folder of the repository first",
  );
}

/**
 * Lists the files of a checkout: also untracked ones, but not ignored ones;
 * sorted.
 *
 * @param paths Files and folders to list; the default is all.
 */
export async function filesOf(
  effects: Pick<Effects, "run">,
  top: string,
  paths: readonly string[] = [],
): Promise<string[]> {
  const finished = await effects.run(localGit(top, [
    "ls-files",
    "-z",
    "--cached",
    "--others",
    "--exclude-standard",
    "--",
    ...paths.map((path) => `:(literal)${path === "" ? "." : path}`),
  ]));
  if (finished.code !== 0) {
    throw usageError(
      "no-checkout",
      `Cannot list the files of ${top}: ${oneLine(finished.stderr, 200)}`,
    );
  }
  const names = new TextDecoder().decode(finished.stdout).split("\0");
  return [...new Set(names)].filter((name) => name !== "").sort();
}

/** Whether the file is in Git's index, so it was or will be committed. */
export async function isTracked(
  effects: Pick<Effects, "run">,
  { top, path }: Place,
): Promise<boolean> {
  const finished = await effects.run(localGit(top, [
    "ls-files",
    "--error-unmatch",
    "--",
    `:(literal)${path}`,
  ]));
  return finished.code === 0;
}

/**
 * Finds the nearest file of that name in a file's folder or above it, in the
 * checkout.
 */
export async function nearest(
  { top, path }: Place,
  name: string,
): Promise<string | undefined> {
  for (let folder = dirname(path);; folder = dirname(folder)) {
    const found = join(folder, name);
    if (await exists(join(top, found))) return found;
    if (folder === ".") return undefined;
  }
}
