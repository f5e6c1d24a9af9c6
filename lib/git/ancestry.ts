/**
 * The order of commits.
 *
 * @module
 */
import { localGit } from "./git.ts";
import { damaged, has, type Mirrored, must } from "./mirror.ts";

/**
 * Whether a commit is the same as another one, or an ancestor of it. Git must
 * name the commit: an exit code alone proves nothing, because a killed program
 * has one, too. A commit that is not in the mirror is no ancestor of any commit
 * there.
 *
 * @throws {SyncError} `mirror-damaged` if Git gives no answer.
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
 * Returns the newest common ancestor of two commits, or `undefined` if there is
 * none or if one of the commits is not in the mirror.
 *
 * @throws {SyncError} `mirror-damaged` if Git gives no answer.
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
  await confirmUnrelated(run, mirror, one, other);
  return undefined;
}

/**
 * Makes Git confirm that a commit is no ancestor of another one. A Git that
 * exits with 1 and prints nothing has not confirmed that.
 *
 * @throws {SyncError} `mirror-damaged` if Git does not confirm it.
 */
async function confirmUnrelated(
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
