/**
 * The history between two commits in the mirror.
 *
 * @module
 */
import type { Run } from "../run/run.ts";
import type { Fetched } from "../run/stages.ts";
import { candidateName } from "./candidate.ts";
import { isAncestor } from "./ancestry.ts";
import { localGit } from "./git.ts";
import { must } from "./mirror.ts";

/**
 * Reads the history between the base and the candidate with one process.
 *
 * The history is cut if a commit in it has parents that are not in the mirror.
 * That happens after a merge of a branch that began before the base: its
 * history continues below the base, which has no parents in a shallow mirror.
 * The history is forward if a commit in it has the base as a parent.
 *
 * @param parents The parents of the candidate. If the base is the only one,
 * there is nothing between the two, and no process is needed.
 */
export async function between(
  run: Run,
  mirror: string,
  base: string,
  parents: readonly string[],
): Promise<{ isCut: boolean; isForward: boolean }> {
  if (parents.length === 1 && parents[0] === base) {
    return { isCut: false, isForward: true };
  }
  const output = await must(
    run,
    localGit(mirror, [
      "rev-list",
      "--parents",
      candidateName,
      `^${base}`,
      "--",
    ]),
  );
  const parentsOfEach = output.split("\n").filter((line) => line !== "")
    .map((line) => line.split(" ").slice(1));
  return {
    isCut: parentsOfEach.some(({ length }) => length === 0),
    isForward: parentsOfEach.some((all) => all.includes(base)),
  };
}

/**
 * Whether this revision was verified last, so that the mirror has it. It mostly
 * is, and reading a file saves a process.
 */
export function isHead(mirror: string, revision: string): boolean {
  try {
    return Deno.readTextFileSync(`${mirror}/.git/HEAD`).trim() === revision;
  } catch {
    return false;
  }
}

/** Whether a revision has the base among its ancestors. */
export async function isForward(
  run: Run,
  mirror: string,
  revision: string,
  base: string | undefined,
): Promise<Fetched["forward"]> {
  if (base === undefined) return "unknown";
  return await isAncestor(run, mirror, base, revision) ? "yes" : "no";
}
