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

/** A range of versions, of which nothing is looked at but by these functions. */
export type Range = readonly unknown[];

/**
 * Reads a range such as `>=1.2 <2`.
 *
 * @throws {TypeError} where it is none.
 */
export const parseRange: (text: string) => Range = untypedRange;

/** Whether a version is in a range; a pre-release only where the range has one. */
export const satisfies: (version: SemVer, range: Range) => boolean =
  untypedSatisfies as unknown as (version: SemVer, range: Range) => boolean;
