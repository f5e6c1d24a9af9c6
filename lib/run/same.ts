/**
 * Whether two commits are the same.
 *
 * @module
 */
import type { Commit, State } from "../state/state.ts";

/** What identifies a commit. */
export type Known = Pick<Commit, "revision" | "digest">;

/**
 * Whether two commits are the same: they have the same hash or, if signatures
 * are checked, the same signed part. Anybody can give a signed commit another
 * hash (lib/git/signed_part.ts).
 */
export function isSame(a: Known, b: Known): boolean {
  return a.revision === b.revision ||
    a.digest !== undefined && a.digest === b.digest;
}

/**
 * Whether a person's permission to deploy a commit after which no other arrives
 * applies to this commit, and is still valid.
 */
export function mayUnfollow(
  { unfollow }: Pick<State, "unfollow">,
  commit: Known,
  now: Date,
): boolean {
  return unfollow !== undefined && isSame(unfollow, commit) &&
    Date.parse(unfollow.until ?? "") > now.getTime();
}
