/**
 * How far each ref was followed on this host. A rollback does not change that:
 * an older revision stays older.
 *
 * @module
 */
import type { Followed, State, Target } from "../state/state.ts";
import { isRevision } from "../base/names.ts";

/** How many refs are remembered: more than a host is moved between. */
const mostFollowed = 20;

/**
 * Returns the newest revision that was deployed here from the ref of a target:
 * later revisions of the ref must descend from it. Returns `undefined` for a
 * commit hash or a new ref, because a person chose it in the configuration.
 */
export function followedOf(
  { followed = [], lastGood, earlier }: State,
  target: Target,
): Pick<Followed, "revision"> & Partial<Followed> | undefined {
  if (isRevision(target.ref)) return undefined;
  const known = followed.find((one) => isSameRef(one, target));
  if (known) return known;
  // An older version did not write them down.
  const all = lastGood ? [lastGood, ...earlier] : earlier;
  return all.find((one) => isSameRef(one.target, target));
}

/**
 * Returns the newest revision that was deployed from a repository, from any ref:
 * its keys are the trusted ones.
 */
export function newestOf(
  { followed = [], lastGood }: State,
  repository: string,
): string | undefined {
  const newest = followed.find((one) => one.repository === repository);
  return (newest ?? lastGood)?.revision;
}

/** Whether anything of a repository was ever deployed here. */
export function isKnown(
  { followed = [], lastGood }: State,
  repository: string,
): boolean {
  return lastGood?.target.repository === repository ||
    followed.some((one) => one.repository === repository);
}

/** Returns how far refs were followed, after one moved to another revision. */
export function followedAfter(
  { followed = [] }: State,
  now: Followed,
): readonly Followed[] {
  // Nothing is compared with a commit once another one is followed.
  const others = followed.filter((one) =>
    !isSameRef(one, now) && !isRevision(one.ref)
  );
  return [now, ...others].slice(0, mostFollowed);
}

type Ref = Pick<Target, "repository" | "ref">;

function isSameRef(a: Ref, b: Ref): boolean {
  return a.repository === b.repository && a.ref === b.ref;
}

/** Describes the move of a ref, without the two revisions. */
export function moved(ref: string, was: string, is: string): string {
  const other = was === is ? "" : ` is a ${is} now, and`;
  return `The ${was} ${ref}${other} was moved`;
}
