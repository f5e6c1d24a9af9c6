/**
 * Refuses trees that are made to harm whoever reads them, before anything
 * does: Git lists them, within bounds.
 *
 * @module
 */
import { SyncError } from "../base/errors.ts";
import { oneLine, short } from "../base/text.ts";
import { localGit } from "../tools/git.ts";
import type { Fetched } from "./fetch.ts";
import type { Run } from "./run.ts";

/** Bytes of all paths together: more than ten times those of nixpkgs. */
const mostNames = 64 * 2 ** 20;

/** The longest path that a program can name on Linux (limits.h, PATH_MAX). */
const longestPath = 4096;

/**
 * Refuses a tree that is too large or too deep to be a configuration, and a
 * `directory` that leads out of the repository by a link.
 *
 * @throws {SyncError} exit 4.
 */
export async function checkTree(run: Run, fetched: Fetched): Promise<void> {
  const { mirror, commit: { revision } } = fetched;
  const names = await list(run, mirror, revision);
  let longest = 0;
  for (const length of pathLengths(names)) longest = Math.max(longest, length);
  if (longest > longestPath) {
    throw refuse(
      revision,
      "tree-too-deep",
      `it has a path of ${longest} bytes`,
    );
  }
  await refuseLinks(run, mirror, revision);
}

async function list(
  run: Run,
  mirror: string,
  revision: string,
): Promise<Uint8Array> {
  try {
    const finished = await run.effects.run(localGit(mirror, [
      "ls-tree",
      "-r",
      "-z",
      "--name-only",
      revision,
    ], { most: mostNames, timeout: 60_000 }));
    if (finished.code === 0) return finished.stdout;
  } catch (error) {
    const isLarge = error instanceof SyncError &&
      error.reason === "output-too-large";
    if (!isLarge) throw error;
    throw refuse(revision, "tree-too-large", "it has too many files");
  }
  throw refuse(revision, "tree-unreadable", "Git can't list its files");
}

function* pathLengths(names: Uint8Array): Generator<number> {
  for (let at = 0; at < names.length;) {
    const end = names.indexOf(0, at);
    yield end - at;
    at = end + 1;
  }
}

/** Every part of `directory` must be a folder of the repository itself. */
async function refuseLinks(
  run: Run,
  mirror: string,
  revision: string,
): Promise<void> {
  const parts = run.config.directory.split("/").filter((part) => part !== "");
  const folders = parts.map((_, i) => parts.slice(0, i + 1).join("/"));
  if (folders.length === 0) return;
  const finished = await run.effects.run(localGit(mirror, [
    "ls-tree",
    "-z",
    revision,
    "--",
    ...folders,
  ], { most: mostNames }));
  for (const line of new TextDecoder().decode(finished.stdout).split("\0")) {
    const [, mode, path] = /^(\d+) \w+ \w+\t(.*)$/s.exec(line) ?? [];
    if (mode !== "120000") continue;
    throw refuse(
      revision,
      "directory-link",
      `${oneLine(path!, 80)}, which directory goes through, is a link`,
    );
  }
}

function refuse(revision: string, reason: string, why: string): SyncError {
  return new SyncError(`Refused ${short(revision)}: ${why}`, {
    stage: "verify",
    reason,
    next: "hold",
    hints: [
      "nothing of the revision was evaluated, and the host is as it was",
    ],
  });
}
