/**
 * Which commit comes before which.
 *
 * @module
 */
import type { Run } from "../run/run.ts";
import { localGit } from "./git.ts";
import { damaged, has } from "./mirror.ts";

/**
 * Whether a commit is another one, or among those before it. Git says so by
 * naming it, and not by an exit code alone: the code of a program that was
 * killed, or that is another, proves nothing. What the mirror does not have is
 * no ancestor of anything there.
 *
 * @throws {SyncError} `mirror-damaged` where Git gives no answer.
 */
export async function isAncestor(
  run: Run,
  mirror: string,
  older: string,
  newer: string,
): Promise<boolean> {
  const common = await commonOf(run, mirror, older, newer);
  return common !== undefined && common === older.toLowerCase();
}

/**
 * The newest commit that two have in common; `undefined` where there is none, or
 * where the mirror does not have one of them.
 *
 * @throws {SyncError} `mirror-damaged` where Git gives no answer.
 */
export async function commonOf(
  run: Run,
  mirror: string,
  one: string,
  other: string,
): Promise<string | undefined> {
  const command = localGit(mirror, ["merge-base", one, other]);
  const finished = await run.effects.run(command);
  const said = new TextDecoder().decode(finished.stdout).trim();
  const isNamed = /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(said);
  if (finished.code === 0 && isNamed) return said;
  const mayBeNone = said === "" && [1, 128].includes(finished.code);
  if (!mayBeNone) throw damaged(run, command, finished);
  const areThere = await has(run, mirror, one) && await has(run, mirror, other);
  if (areThere && finished.code === 128) throw damaged(run, command, finished);
  return undefined;
}
