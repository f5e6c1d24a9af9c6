/**
 * Versions in tags: those of semver.org, and other numbers with dots.
 *
 * @module
 */

/** A version: its numbers, and the parts of a pre-release. */
export interface Version {
  numbers: readonly number[];
  prerelease: readonly (string | number)[];
}

/** A number with more digits cannot be compared exactly. */
const form =
  /^v?(\d{1,15}(?:\.\d{1,15})*)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]+)?$/;

/**
 * Reads a version.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseVersion } from "./version.ts";
 *
 * assertEquals(parseVersion("v1.2-rc.1"), {
 *   numbers: [1, 2],
 *   prerelease: ["rc", 1],
 * });
 * assertEquals(parseVersion("stable"), undefined);
 * ```
 */
export function parseVersion(text: string): Version | undefined {
  const [, numbers, prerelease] = form.exec(text) ?? [];
  if (numbers === undefined) return undefined;
  return {
    numbers: numbers.split(".").map(Number),
    prerelease: (prerelease?.split(".") ?? []).map((part) =>
      /^\d{1,15}$/.test(part) ? Number(part) : part
    ),
  };
}

/**
 * Compares by precedence (https://semver.org, 11). A missing number is 0.
 *
 * @returns a number below 0 if the first is lower, above 0 if it is higher.
 */
export function compareVersions(a: Version, b: Version): number {
  const length = Math.max(a.numbers.length, b.numbers.length);
  for (let i = 0; i < length; i++) {
    const difference = (a.numbers[i] ?? 0) - (b.numbers[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return comparePrereleases(a.prerelease, b.prerelease);
}

type Parts = Version["prerelease"];

/** A version without a pre-release is higher than one with it. */
function comparePrereleases(a: Parts, b: Parts): number {
  if (a.length === 0 || b.length === 0) return b.length - a.length;
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const difference = compareParts(a[i]!, b[i]!);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Numbers are lower than words. */
function compareParts(a: string | number, b: string | number): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "number") return -1;
  if (typeof b === "number") return 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
