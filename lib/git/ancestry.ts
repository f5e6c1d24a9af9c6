/**
 * Which commit comes before which.
 *
 * @module
 */
import { localGit } from "./git.ts";
import { damaged, has, type Mirrored, must } from "./mirror.ts";

/**
 * Whether a commit is another one, or among those before it. Git says so by
 * naming it, and not by an exit code alone: the code of a program that was
 * killed, or that is another, proves nothing. What the mirror does not have is
 * no ancestor of anything there.
 *
 * @throws {SyncError} `mirror-damaged` where Git gives no answer.
 */
export async function isAncestor(
  run: Mirrored,
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
  run: Mirrored,
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
  if (!areThere) return undefined;
  if (finished.code === 128) throw damaged(run, command, finished);
  await mustBeApart(run, mirror, one, other);
  return undefined;
}

/**
 * Has Git name a commit as one that another does not descend from: a Git that
 * ends with 1 and says nothing has not said that.
 *
 * @throws {SyncError} `mirror-damaged` where it does not.
 */
async function mustBeApart(
  run: Mirrored,
  mirror: string,
  one: string,
  other: string,
): Promise<void> {
  const args = ["rev-list", "--max-count=1", one, `^${other}`, "--"];
  const command = localGit(mirror, args);
  const said = (await must(run, command)).trim();
  if (said === one.toLowerCase()) return;
  throw damaged(run, command, { stderr: "", stdout: new Uint8Array() });
}
