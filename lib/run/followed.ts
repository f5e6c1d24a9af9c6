/**
 * How far each ref was followed here. A way back does not change that: what
 * was old before it stays old.
 *
 * @module
 */
import type { Followed, State, Target } from "../state/state.ts";
import { isRevision } from "../base/names.ts";

/** More refs than a host is moved between. */
const mostFollowed = 20;

/**
 * The newest revision that was deployed here from the ref of a target: what
 * comes from it must descend from that. None where the ref is a commit itself,
 * or another one: that is a person's choice in the configuration.
 */
export function followedOf(
  { followed = [], lastGood, earlier }: State,
  target: Target,
): Pick<Followed, "revision"> & Partial<Followed> | undefined {
  if (isRevision(target.ref)) return undefined;
  const known = followed.find((one) => isSameRef(one, target));
  if (known) return known;
  // Before they were written down.
  const all = lastGood ? [lastGood, ...earlier] : earlier;
  return all.find((one) => isSameRef(one.target, target));
}

/**
 * The newest revision that was deployed from a repository, from whichever ref:
 * the keys in it are those that count.
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

/** How far refs were followed, once one was followed to another revision. */
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

/** What happened to a name, in words, up to where from and where to. */
export function moved(ref: string, was: string, is: string): string {
  const other = was === is ? "" : ` is a ${is} now, and`;
  return `The ${was} ${ref}${other} was moved`;
}
