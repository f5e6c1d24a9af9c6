/**
 * The mirror as a folder on this host. Nothing here connects to the remote.
 *
 * @module
 */
import { exists } from "@std/fs";
import {
  type Command,
  type Effects,
  type Finished,
  say,
} from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { errno, isNumbered } from "../base/os_error.ts";
import { localGit } from "./git.ts";
import type { Run } from "../run/run.ts";
import { lastWords } from "../base/text.ts";
import type { Tip } from "../base/tip.ts";

/** The part of a run that reading the mirror needs. */
export interface Mirrored {
  effects: Pick<Effects, "run">;
  /** The state folder. */
  folder: string;
}

/** Creates a new, empty mirror for `tip`. */
export async function makeMirror(
  run: Pick<Run, "effects" | "folder">,
  mirror: string,
  tip: Pick<Tip, "revision">,
): Promise<void> {
  await must(
    run,
    localGit(run.folder, [
      "init",
      "--quiet",
      "--template=",
      "--initial-branch=gitops-sync",
      // Both sides must name objects by the same hash.
      `--object-format=${tip.revision.length === 64 ? "sha256" : "sha1"}`,
      mirror,
    ]),
  );
}

/**
 * Whether the mirror exists. Removes a file in its place or in the place of
 * `.git`, and a mirror with reftables, which Nix does not read.
 */
export async function isThere(run: Run, mirror: string): Promise<boolean> {
  try {
    if (!await exists(`${mirror}/.git/reftable`)) {
      return await exists(`${mirror}/.git/HEAD`);
    }
    say(
      run.effects,
      "notice",
      "The mirror uses reftables, which Nix does not read; creating a new one",
    );
    await removeIfThere(mirror);
    return false;
  } catch (error) {
    if (!isNumbered(error, errno.notAFolder)) throw error;
    say(run.effects, "notice", "The mirror is damaged; creating a new one");
    await removeIfThere(mirror);
    return false;
  }
}

/**
 * Removes the locks that a killed Git has left, because they block every later
 * one. Call it only while holding the lock of the state folder: then no other
 * Git is running.
 */
export async function dropLocks(mirror: string): Promise<void> {
  try {
    for (const path of filesBelow(`${mirror}/.git`)) {
      if (path.endsWith(".lock")) await Deno.remove(path);
    }
  } catch (error) {
    const isNone = error instanceof Deno.errors.NotFound ||
      isNumbered(error, errno.notAFolder);
    // There is no mirror yet, or it is damaged: isThere() handles that.
    if (!isNone) throw error;
  }
}

/** Yields the files below a folder of Git, without loose objects. */
function* filesBelow(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const path = `${folder}/${name}`;
    if (!isDirectory) yield path;
    else if (!/^[0-9a-f]{2}$/.test(name)) yield* filesBelow(path);
  }
}

/** Removes a file or a folder with its content, if it exists. */
export async function removeIfThere(path: string): Promise<void> {
  if (await exists(path)) await Deno.remove(path, { recursive: true });
}

/**
 * Prepares a mirror for a fetch: removes the partial packs of an interrupted
 * fetch, and sets the remote for submodules.
 */
export async function readyMirror(run: Run, mirror: string): Promise<void> {
  await dropPartialPacks(mirror);
  // A submodule URL that begins with ./ or ../ is relative to it
  // (gitmodules(5)), and Nix resolves it in this way.
  if (!run.config.submodules) return;
  const { repository } = run.remote;
  await must(
    run,
    localGit(mirror, ["config", "remote.origin.url", repository]),
  );
}

/** Removes the partial packs of an interrupted fetch. */
export async function dropPartialPacks(mirror: string): Promise<void> {
  for (const name of packNames(mirror)) {
    if (name.startsWith("tmp_")) {
      await Deno.remove(`${packsOf(mirror)}/${name}`);
    }
  }
}

/**
 * Returns the names of packs and their files; none if the folder is missing.
 */
function packNames(mirror: string): string[] {
  try {
    return [...Deno.readDirSync(packsOf(mirror))].map(({ name }) => name);
  } catch (error) {
    // Git reports what is missing with it, and a new mirror is created.
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

const packsOf = (mirror: string) => `${mirror}/.git/objects/pack`;

/** The default limit of Git itself (git-gc(1), "gc.autoPackLimit"). */
const manyPacks = 50;

/**
 * Combines the packs of many fetches into one, as a fetch itself would from
 * time to time. Does not start Git if there is nothing to do.
 */
export async function collectGarbage(run: Run, mirror: string): Promise<void> {
  const packs = packNames(mirror).filter((name) => name.endsWith(".pack"));
  if (packs.length <= manyPacks) return;
  await run.effects.run(
    localGit(mirror, ["maintenance", "run", "--auto", "--quiet"]),
  );
}

/** Whether the mirror's history is cut off somewhere. */
export function isShallow(mirror: string): Promise<boolean> {
  return exists(`${mirror}/.git/shallow`);
}

/**
 * Whether a commit is in the mirror. Git must print the answer: an exit code
 * alone may come from a killed Git.
 *
 * @throws {SyncError} `mirror-damaged` if Git prints neither answer.
 */
export async function has(
  run: Mirrored,
  mirror: string,
  revision: string,
): Promise<boolean> {
  const name = `${revision}^{commit}`;
  const input = new TextEncoder().encode(`${name}\n`);
  const command = localGit(mirror, ["cat-file", "--batch-check"], { input });
  const finished = await run.effects.run(command);
  const said = new TextDecoder().decode(finished.stdout).trim();
  if (finished.code === 0 && /^[0-9a-f]+ commit \d+$/.test(said)) return true;
  if (finished.code === 0 && said === `${name} missing`) return false;
  throw damaged(run, command, finished);
}

/**
 * Runs a local Git command that can only fail if the mirror is damaged.
 *
 * @returns what it wrote to standard output.
 * @throws {SyncError} `mirror-damaged`
 */
export async function must(run: Mirrored, command: Command): Promise<string> {
  const finished = await run.effects.run(command);
  if (finished.code !== 0) throw damaged(run, command, finished);
  return new TextDecoder().decode(finished.stdout);
}

/** Whether Git itself finds something wrong with the mirror. */
export async function isDamaged(run: Run, mirror: string): Promise<boolean> {
  const { code } = await run.effects.run(
    localGit(mirror, ["fsck", "--full", "--no-dangling", "--no-progress"]),
  );
  return code !== 0;
}

/** Records that the server of this mirror only gives whole histories. */
export async function keepWhole(mirror: string): Promise<void> {
  await Deno.writeTextFile(wholeFile(mirror), "");
}

/** Whether {@linkcode keepWhole} has recorded that. */
export function mustBeWhole(mirror: string): Promise<boolean> {
  return exists(wholeFile(mirror));
}

const wholeFile = (mirror: string) => `${mirror}/.git/gitops-sync-whole`;

/** Returns the error for a local Git command that failed. */
export function damaged(
  run: Pick<Run, "folder">,
  command: Command,
  finished: Pick<Finished, "stdout" | "stderr">,
): SyncError {
  return new SyncError(
    `Cannot use the mirror in ${run.folder}/repo: git ${
      command.args[2]
    } failed`,
    {
      stage: "fetch",
      reason: "mirror-damaged",
      next: "retry",
      details: lastWords(finished),
    },
  );
}
