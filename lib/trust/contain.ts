/**
 * Refuses trees that are made to harm their readers, before anything reads
 * them. Only Git lists them, with limits.
 *
 * @module
 */
import { SyncError } from "../base/errors.ts";
import { formatSize } from "../base/size.ts";
import { oneLine, short } from "../base/text.ts";
import { localGit, mostAtOnce } from "../git/git.ts";
import { damaged } from "../git/mirror.ts";
import type { Run } from "../run/run.ts";
import type { Fetched } from "../run/stages.ts";
import { Pointers } from "./pointers.ts";
import { refuseToCopy } from "../nix/room.ts";

/** Bytes of the list of files: more than ten times that of nixpkgs. */
const mostNames = 64 * 2 ** 20;

/**
 * Files and folders: more than ten times those of nixpkgs. Each one takes an
 * inode in the store, even if it is empty.
 */
const mostEntries = 500_000;

/** The longest path that a program can name on Linux (limits.h, PATH_MAX). */
const longestPath = 4096;

/**
 * Refuses a tree that is too large or too deep for a configuration, and a
 * `directory` that leads out of the repository through a link.
 *
 * @throws {SyncError} exit 4; `disk-low` if there is no room for its files.
 */
export async function checkTree(run: Run, fetched: Fetched): Promise<void> {
  const { mirror, commit: { revision } } = fetched;
  const pointers = new Pointers();
  const measure = measureOf(await list(run, mirror, revision), pointers);
  const { longest, entries } = measure;
  if (entries > mostEntries) {
    throw refuse(
      revision,
      "tree-too-large",
      `it has ${entries} files and folders, and the limit is ${mostEntries}`,
    );
  }
  if (longest > longestPath) {
    throw refuse(
      revision,
      "tree-too-deep",
      `it has a path of ${longest} bytes, and the limit is ${longestPath}`,
    );
  }
  refuseSize(run, revision, measure);
  await refuseLinks(run, mirror, revision);
  await pointers.warn(run, mirror, revision);
}

/**
 * Refuses files that are too large. They are compressed in the mirror, but Nix
 * copies all of them to the store in full size before it evaluates one.
 */
function refuseSize(
  { config }: Run,
  revision: string,
  { largest, total, entries }: Measure,
): void {
  if (largest > mostAtOnce) {
    throw refuse(
      revision,
      "file-too-large",
      `it has a file of ${formatSize(largest)}, and the limit is ${
        formatSize(mostAtOnce)
      }`,
      "remove the file from the repository, or let the flake fetch it",
    );
  }
  const most = config["limits.fetch"];
  if (total > most) {
    throw refuse(
      revision,
      "files-too-large",
      `its files have ${formatSize(total)} in total, and the limit is ${
        formatSize(most)
      } (limits.fetch)`,
      "if they are meant to be this large, raise limits.fetch, then run gitops-sync retry",
    );
  }
  // A system that was built elsewhere is not evaluated, so nothing is copied.
  if (config["build.from"] === "cache") return;
  refuseToCopy(total, entries, config["preflight.freeSpace"]);
}

async function list(
  run: Run,
  mirror: string,
  revision: string,
): Promise<Uint8Array> {
  const command = localGit(mirror, [
    "ls-tree",
    "-r",
    // Folders too: each one has to be created as well.
    "-t",
    "-z",
    "--format=%(objectmode) %(objectsize) %(path)",
    revision,
  ], { most: mostNames, timeout: 60_000 });
  try {
    const finished = await run.effects.run(command);
    // The last name must be complete, and the tree of a flake is never empty.
    if (finished.code === 0 && finished.stdout.at(-1) === 0) {
      return finished.stdout;
    }
    // Git checked the tree when it was fetched: now the mirror or Git itself is
    // at fault.
    throw damaged(run, command, finished);
  } catch (error) {
    const isLarge = error instanceof SyncError &&
      error.reason === "output-too-large";
    if (!isLarge) throw error;
    throw refuse(revision, "tree-too-large", "it has too many files");
  }
}

/** The totals of a tree's files; sizes in bytes. */
interface Measure {
  /** The number of files and folders. */
  entries: number;
  /** The longest path. */
  longest: number;
  /** The largest file. */
  largest: number;
  /** All files together; a file with two names counts twice, as for Nix. */
  total: number;
}

const [space, dash, zero, one, six] = [0x20, 0x2d, 0x30, 0x31, 0x36];

/** Six digits and a space. */
const modeLength = 7;

/** Reads lines of a mode, a size and a path; folders have no size. */
function measureOf(list: Uint8Array, pointers: Pointers): Measure {
  const measure = { entries: 0, longest: 0, largest: 0, total: 0 };
  for (let at = 0; at < list.length;) {
    let size = 0;
    // The mode of a submodule is 160000.
    const isModule = list[at] === one && list[at + 1] === six;
    at += modeLength;
    for (; list[at] !== space; at++) {
      if (list[at] !== dash) size = size * 10 + list[at]! - zero;
    }
    const end = list.indexOf(0, at);
    measure.entries++;
    measure.longest = Math.max(measure.longest, end - at - 1);
    measure.largest = Math.max(measure.largest, size);
    measure.total += size;
    pointers.add(isModule ? undefined : size, list.subarray(at + 1, end));
    at = end + 1;
  }
  return measure;
}

/**
 * Refuses a `directory` with a part that is not a folder of the repository
 * itself.
 */
async function refuseLinks(
  run: Run,
  mirror: string,
  revision: string,
): Promise<void> {
  const parts = run.config.directory.split("/").filter((part) => part !== "");
  const folders = parts.map((_, i) => parts.slice(0, i + 1).join("/"));
  if (folders.length === 0) return;
  const command = localGit(mirror, [
    "ls-tree",
    "-z",
    revision,
    "--",
    ...folders,
  ], { most: mostNames });
  const finished = await run.effects.run(command);
  if (finished.code !== 0) throw damaged(run, command, finished);
  for (const line of new TextDecoder().decode(finished.stdout).split("\0")) {
    const [, mode, path] = /^(\d+) \w+ \w+\t(.*)$/s.exec(line) ?? [];
    if (mode !== "120000") continue;
    throw refuse(
      revision,
      "directory-link",
      `${oneLine(path!, 80)} is a link, and directory leads through it`,
    );
  }
}

function refuse(
  revision: string,
  reason: string,
  why: string,
  ...hints: string[]
): SyncError {
  return new SyncError(`Refused ${short(revision)}: ${why}`, {
    stage: "verify",
    reason,
    next: "hold",
    hints: [
      "the revision was not evaluated, and the host is unchanged",
      ...hints,
    ],
  });
}
