/**
 * Decides whether the reports of a commit satisfy a pattern of names. Pure.
 *
 * @module
 */
import { isOfStars } from "../base/pattern.ts";
import { count } from "../base/text.ts";
import type { Report } from "./reports.ts";

/** The result for one pattern. */
export interface Judged {
  isOpen: boolean;
  why: string;
}

/** The limit of names in a message. */
const mostNamed = 3;

/**
 * Reports whether at least one report matches the pattern, and all matching
 * ones are successful. Skipped reports do not count.
 *
 * @param own The status of this host itself. It is pending until the deployment
 * is over, so a gate that waits for it would never open.
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
