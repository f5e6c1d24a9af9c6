/**
 * Files with signed notes, from a ref of the repository. They are stored
 * outside the mirror, and never evaluated.
 *
 * @module
 */
import { exists } from "@std/fs";
import { SyncError } from "../base/errors.ts";
import { isRevision } from "../base/names.ts";
import { contentsCommand, contentsIn } from "./contents.ts";
import { localGit } from "./git.ts";
import { makeMirror, must, removeIfThere } from "./mirror.ts";
import { fetch, type Fetching } from "./transfer.ts";

/** A file and its signature. */
export interface SignedFile {
  name: string;
  bytes: Uint8Array;
  signature: Uint8Array;
}

/** All notes of a repository together, in bytes. */
const mostFetched = 8 * 2 ** 20;

/** The largest file in bytes; notes and signatures are smaller. */
const mostFile = 16 * 1024;

/** The largest list of names in bytes: some thousand names. */
const mostList = 2 ** 20;

/** Milliseconds. */
const longestFetch = 60_000;

/** The ref for them in this repository. */
const ownName = "refs/gitops-sync/approvals";

/**
 * Returns the files that have a signature (`NAME` and `NAME.sig`) in the tree
 * of a ref. Fetches from the remote only if the commit is not here yet.
 *
 * @param run Its `folder` is only for the notes; its `remote` serves them.
 * @param ref The full name of the ref at the remote.
 * @param id The commit that the remote reports for the ref.
 * @param isWanted Selects names.
 * @param most The largest number of files; more are skipped.
 * @throws {SyncError} if they can't be fetched or read.
 */
export async function signedFiles(
  run: Fetching,
  ref: string,
  id: string,
  isWanted: (name: string) => boolean,
  most: number,
): Promise<SignedFile[]> {
  const repository = `${run.folder}/repo`;
  if (!await isHere(run.folder, id)) await bring(run, repository, ref, id);
  const list = await must(run, {
    ...localGit(repository, ["ls-tree", "-z", "-l", `${ownName}^{tree}`]),
    most: mostList,
  });
  const sizes = new Map<string, { id: string; size: number }>();
  for (const line of list.split("\0")) {
    const [, id, size, name] = /^100644 blob (\w+) +(\d+)\t(.*)$/s.exec(line) ??
      [];
    if (name !== undefined) sizes.set(name, { id: id!, size: Number(size) });
  }
  const found = [...sizes.keys()].filter((name) => {
    const parts = [sizes.get(name), sizes.get(`${name}.sig`)];
    return isWanted(name) &&
      parts.every((part) => part !== undefined && part.size <= mostFile);
  }).slice(0, most);
  if (found.length === 0) return [];
  const ids = found.flatMap((name) => [
    sizes.get(name)!.id,
    sizes.get(`${name}.sig`)!.id,
  ]);
  const contents = contentsIn(
    await run.effects.run(
      contentsCommand(repository, ids, { most: 4 * mostFile * most }),
    ),
  );
  return found.flatMap((name, i) => {
    const [bytes, signature] = contents.slice(2 * i, 2 * i + 2);
    return bytes && signature ? [{ name, bytes, signature }] : [];
  });
}

const idFile = (folder: string) => `${folder}/id`;

/** Whether the last fetch has brought this commit. */
async function isHere(folder: string, id: string): Promise<boolean> {
  if (!await exists(idFile(folder))) return false;
  return (await Deno.readTextFile(idFile(folder))) === id;
}

/** Fetches the ref into a new repository, which replaces the old one. */
async function bring(
  run: Fetching,
  repository: string,
  ref: string,
  id: string,
): Promise<void> {
  await removeIfThere(run.folder);
  await Deno.mkdir(run.folder, { mode: 0o700 });
  const { remote } = run;
  const bounded: Fetching = {
    ...run,
    remote: {
      ...remote,
      "limits.fetch": mostFetched,
      "timeouts.fetch": Math.min(remote["timeouts.fetch"], longestFetch),
    },
  };
  await makeMirror(run, repository, { revision: id });
  const what = `+${ref}:${ownName}`;
  try {
    await fetch(bounded, repository, ["--depth=1", what]);
  } catch (error) {
    const isWhole = error instanceof SyncError && error.reason === "no-shallow";
    if (!isWhole) throw error;
    await fetch(bounded, repository, [what]);
  }
  const came = await must(
    run,
    localGit(repository, ["rev-parse", "--verify", `${ownName}^{}`]),
  );
  // The next run fetches again if the ref has moved in the meantime.
  if (came.trim() === id && isRevision(id)) {
    await Deno.writeTextFile(idFile(run.folder), id);
  }
}
