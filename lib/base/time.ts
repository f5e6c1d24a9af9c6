/**
 * Points in time as programs read them.
 *
 * @module
 */

/**
 * Writes a point in time as in RFC 3339, in UTC and in whole seconds.
 *
 * @param time As `Date` takes it.
 * @returns `undefined` if it is not a valid time, or cannot be written so.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { utc } from "./time.ts";
 *
 * assertEquals(utc("2026-01-01T02:00:00.999+02:00"), "2026-01-01T00:00:00Z");
 * assertEquals(utc("soon"), undefined);
 * ```
 */
export function utc(time: string | number | Date): string | undefined {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return undefined;
  const text = date.toISOString();
  // A year with a sign is ISO 8601, but not RFC 3339.
  return /^\d/.test(text) ? text.replace(/\.\d+Z$/, "Z") : undefined;
}
