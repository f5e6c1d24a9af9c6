/**
 * How far a host is behind: the commits in the mirror that are not deployed.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { localGit } from "../git/git.ts";

/** Commits that are not deployed. */
export interface Behind {
  count: number;
  /** When the oldest of them was committed, in milliseconds since 1970. */
  oldest: number;
}

/**
 * Counts the commits between two revisions.
 *
 * @param folder The state folder, which has the mirror.
 * @param from The deployed revision; without it there is nothing to count from.
 * @returns `undefined` if the mirror lacks one of them, or if there is no commit
 * between them: a branch that moved back has no commit that is not deployed.
 */
export async function behind(
  effects: Pick<Effects, "run">,
  folder: string,
  to: string,
  from: string | undefined,
): Promise<Behind | undefined> {
  if (from === undefined) return undefined;
  const words = ["log", "--format=%ct", to, `^${from}`, "--"];
  try {
    const { code, stdout } = await effects.run(
      localGit(`${folder}/repo`, words),
    );
    const times = new TextDecoder().decode(stdout).split("\n")
      .filter((line) => line !== "").map(Number);
    if (code !== 0 || times.length === 0) return undefined;
    const oldest = times.reduce((a, b) => Math.min(a, b)) * 1000;
    return { count: times.length, oldest };
  } catch (error) {
    if (error instanceof SyncError) return undefined;
    throw error;
  }
}
