/**
 * How far a host is behind: which commits the mirror has that are not deployed.
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
 * The commits between two.
 *
 * @param folder The state folder, which has the mirror.
 * @param from What is deployed. Without it the whole history is behind, which
 * says nothing.
 * @returns nothing where the mirror has not both, and where there is no commit
 * between them: a branch that went back has nothing that is not deployed.
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
