/**
 * Whether the reports of a commit are as a pattern of names wants them. Pure.
 *
 * @module
 */
import { isOfStars } from "../base/pattern.ts";
import { count } from "../base/text.ts";
import type { Report } from "./reports.ts";

/** What there is to say of one pattern. */
export interface Judged {
  isOpen: boolean;
  why: string;
}

/** More are not named one by one. */
const mostNamed = 3;

/**
 * Whether at least one report is of the pattern, and all that are of it are
 * successful. One that was skipped says nothing.
 *
 * @param own The status that this host gives itself: it is pending until the
 * deployment is over, so a gate that waits for it would never open.
 */
export function judge(
  pattern: string,
  reports: readonly Report[],
  own: string,
): Judged {
  const of = reports.filter(({ name, state }) =>
    name !== own && state !== "skipped" && isOfStars(pattern, name)
  );
  if (of.length === 0) {
    return { isOpen: false, why: `no report matches ${pattern} yet` };
  }
  const wrong = of.filter(({ state }) => state !== "success");
  if (wrong.length === 0) {
    return { isOpen: true, why: `${count(of.length, "check")} passed` };
  }
  const named = wrong.slice(0, mostNamed)
    .map(({ name, said }) => `${name} is ${said}`).join(", ");
  const more = wrong.length - mostNamed;
  return {
    isOpen: false,
    why: more > 0 ? `${named}, and ${more} more` : named,
  };
}
