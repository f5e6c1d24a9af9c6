/**
 * What the mirror knows of the history between two commits.
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
 * Looks at what stands between the base and the candidate, in one go.
 *
 * It is cut where something there has parents that the mirror has not. So it is
 * where a branch was merged that had begun before the base: its history then
 * goes on below the base, which the base itself, without parents in a shallow
 * mirror, does not know for its own. It is forward where something there has
 * the base as a parent.
 *
 * @param parents Those of the candidate: where the base is the only one, nothing
 * else stands between the two, and Git need not be asked.
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
 * Whether this is what was verified last, which the mirror then has. Most often
 * it is, and a look at a file spares a program.
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
