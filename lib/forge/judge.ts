/**
 * Whether the reports of a commit are as a pattern of names wants them. Pure.
 *
 * @module
 */
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
    name !== own && state !== "skipped" && isOf(pattern, name)
  );
  if (of.length === 0) {
    return { isOpen: false, why: `nothing was reported for ${pattern} yet` };
  }
  const wrong = of.filter(({ state }) => state !== "success");
  if (wrong.length === 0) {
    return { isOpen: true, why: `${count(of.length, "check")} successful` };
  }
  const named = wrong.slice(0, mostNamed)
    .map(({ name, said }) => `${name} is ${said}`).join(", ");
  const more = wrong.length - mostNamed;
  return {
    isOpen: false,
    why: more > 0 ? `${named}, and ${more} more` : named,
  };
}

/**
 * Whether a name is of a pattern in which `*` stands for any characters. Each
 * part is looked for once: no name takes longer than its length.
 */
export function isOf(pattern: string, name: string): boolean {
  const [first = "", ...parts] = pattern.split("*");
  if (parts.length === 0) return name === pattern;
  const last = parts.pop()!;
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const part of parts) {
    const found = name.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}
