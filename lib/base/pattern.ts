/**
 * Patterns of names, in which `*` stands for any characters and `?` for one.
 *
 * @module
 */

/**
 * Whether a name is of a pattern. It takes no more steps than the product of
 * the two lengths, whatever the pattern is.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { isOfPattern } from "./pattern.ts";
 *
 * assert(isOfPattern("web-*", "web-12"));
 * assert(!isOfPattern("web-?", "web-12"));
 * ```
 */
export function isOfPattern(pattern: string, name: string): boolean {
  return matches(pattern, name, "?");
}

/** The same for patterns in which `*` alone is no letter. */
export function isOfStars(pattern: string, name: string): boolean {
  return matches(pattern, name, undefined);
}

/** @param any The letter that stands for one character, if there is one. */
function matches(
  pattern: string,
  name: string,
  any: string | undefined,
): boolean {
  // Where the last star is, and how much of the name it takes so far.
  let star = -1, taken = 0;
  let at = 0, i = 0;
  while (i < name.length) {
    const letter = pattern[at];
    if (letter === "*") {
      star = at++;
      taken = i;
    } else if (letter !== undefined && (letter === any || letter === name[i])) {
      at++;
      i++;
    } else if (star >= 0) {
      at = star + 1;
      i = ++taken;
    } else return false;
  }
  while (pattern[at] === "*") at++;
  return at === pattern.length;
}

/** Whether a name is of at least one of some patterns. */
export function isOfAny(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => isOfPattern(pattern, name));
}

/** Whether a pattern names one thing alone. */
export function isPlainName(pattern: string): boolean {
  return !/[*?]/.test(pattern);
}
