/**
 * How often something happened, in words.
 *
 * @module
 */

/**
 * Returns a number of times in words.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { howOften } from "./how_often.ts";
 *
 * assertEquals([1, 2, 3].map(howOften), ["once", "twice", "3 times"]);
 * ```
 */
export function howOften(times: number): string {
  if (times === 1) return "once";
  return times === 2 ? "twice" : `${times} times`;
}
