/**
 * Commits that are in a history under another hash. A server may have given
 * this host a signed commit with its signature in another form. Later commits
 * then only descend from the genuine one.
 *
 * @module
 */
import { SyncError } from "../base/errors.ts";
import { has, isShallow } from "../git/mirror.ts";
import { signedDigest } from "../git/signed_part.ts";
import { fetch } from "../git/transfer.ts";
import type { Run } from "../run/run.ts";
import type { Known } from "../run/same.ts";
import type { Fetched } from "../run/stages.ts";
import { contentsOf, git, mostAtOnce } from "./trusted_keys.ts";

/** How many commits are searched. */
const mostCommits = 20_000;

/**
 * Whether an ancestor of a revision with a good signature has the same signed
 * part as the commit that was deployed last.
 */
export async function descendsFromTwin(
  run: Run,
  fetched: Fetched,
  deployed: Known,
): Promise<boolean> {
  const { mirror, commit: { revision } } = fetched;
  const { digest } = deployed;
  if (digest === undefined) return false;
  const isHere = await has(run, mirror, deployed.revision);
  // If it is here, all later commits are here, too.
  if (!isHere) await fetchWholeHistory(run, fetched);
  const listed = await git(run, mirror, [
    "rev-list",
    `--max-count=${mostCommits}`,
    revision,
    ...isHere ? [`^${deployed.revision}`] : [],
  ]);
  const commits = new TextDecoder().decode(listed).split("\n").slice(0, -1);
  for (let at = 0; at < commits.length; at += mostAtOnce) {
    const some = commits.slice(at, at + mostAtOnce);
    for (const content of await contentsOf(run, mirror, some)) {
      if (await signedDigest(content) === digest) return true;
    }
  }
  return false;
}

/**
 * Fetches the whole history: the commit may be beyond the cut of a shallow one.
 */
async function fetchWholeHistory(
  run: Run,
  { mirror, tip: { name } }: Fetched,
): Promise<void> {
  if (!await isShallow(mirror)) return;
  try {
    await fetch(run, mirror, ["--unshallow", name]);
  } catch (error) {
    // A commit that is not found is refused, as any other move is.
    if (!(error instanceof SyncError)) throw error;
  }
}
