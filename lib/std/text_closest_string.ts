/**
 * `@std/text/closest-string`, typed (why: see `cli_parse_args.ts`).
 *
 * @module
 */
import { closestString as untyped } from "npm:deno-std@1.4.0/text/closest_string.js";

/** The word of `possible` that is most like `given`. */
export const closestString: (
  given: string,
  possible: readonly string[],
) => string = untyped;
