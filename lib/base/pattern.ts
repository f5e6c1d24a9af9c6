/**
 * Patterns of names, in which `*` stands for any characters and `?` for one.
 *
 * @module
 */

/**
 * Returns whether a name matches a pattern. The number of steps is at most the
 * product of the two lengths.
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

/** Returns whether a name matches a pattern in which only `*` is special. */
export function isOfStars(pattern: string, name: string): boolean {
  return matches(pattern, name, undefined);
}

/** @param any The letter that stands for any one character, if there is one. */
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

/** Returns whether a name matches at least one of the patterns. */
export function isOfAny(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => isOfPattern(pattern, name));
}

/** Returns whether a pattern is a plain name. */
export function isPlainName(pattern: string): boolean {
  return !/[*?]/.test(pattern);
}
