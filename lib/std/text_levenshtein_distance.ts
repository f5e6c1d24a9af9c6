/**
 * `@std/text/levenshtein-distance`, typed (why: see `cli_parse_args.ts`).
 *
 * @module
 */
import { levenshteinDistance as untyped } from "npm:deno-std@1.4.0/text/levenshtein_distance.js";

/** How many letters must be put in, taken out or replaced. */
export const levenshteinDistance: (one: string, other: string) => number =
  untyped;
