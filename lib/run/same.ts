/**
 * When two commits are the same one.
 *
 * @module
 */
import type { Commit, State } from "../state/state.ts";

/** What a commit is known by. */
export type Known = Pick<Commit, "revision" | "digest">;

/**
 * Whether two are the same commit: they have the same hash or, where
 * signatures count, the same signed part. A signed commit has as many hashes as
 * anybody likes (lib/git/signed_part.ts).
 */
export function isSame(a: Known, b: Known): boolean {
  return a.revision === b.revision ||
    a.digest !== undefined && a.digest === b.digest;
}

/**
 * Whether a person's word that no other commit need come after this one counts,
 * and counts still.
 */
export function mayUnfollow(
  { unfollow }: Pick<State, "unfollow">,
  commit: Known,
  now: Date,
): boolean {
  return unfollow !== undefined && isSame(unfollow, commit) &&
    Date.parse(unfollow.until ?? "") > now.getTime();
}
