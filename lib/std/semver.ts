/**
 * `@std/semver`, typed (why: see `cli_parse_args.ts`).
 *
 * @module
 */
import { parseRange as untypedRange } from "npm:deno-std@1.4.0/semver/parse_range.js";
import { satisfies as untypedSatisfies } from "npm:deno-std@1.4.0/semver/satisfies.js";

/** A version (https://semver.org). */
export interface SemVer {
  major: number;
  minor: number;
  patch: number;
  prerelease: (string | number)[];
  build: string[];
}

/** One bound of a range. A wildcard has no number (`NaN`) as its major. */
export interface Comparator {
  operator?: "=" | "!=" | ">" | ">=" | "<" | "<=";
  major: number;
  minor: number;
  patch: number;
  prerelease?: (string | number)[];
}

/** A range of versions: one of these sets, and all bounds of that. */
export type Range = readonly (readonly Comparator[])[];

/**
 * Reads a range such as `>=1.2 <2`.
 *
 * @throws {TypeError} where it is none.
 */
export const parseRange: (text: string) => Range = untypedRange;

/**
 * Whether a version is in a range; a pre-release only where a bound of the same
 * version has one.
 */
export const satisfies: (version: SemVer, range: Range) => boolean =
  untypedSatisfies as unknown as (version: SemVer, range: Range) => boolean;
