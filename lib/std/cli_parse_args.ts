/**
 * `@std/cli/parse-args`, typed. The registry of the standard library is not
 * reachable everywhere this is built, so the official code comes from its copy
 * on npm, which carries no types. To move to `jsr:@std/cli`, change the import
 * map alone.
 *
 * @module
 */
import { parseArgs as untyped } from "npm:deno-std@1.4.0/cli/parse_args.js";

/** The options of `parseArgs` that are used here. */
export interface ParseOptions {
  boolean?: readonly string[];
  string?: readonly string[];
  collect?: readonly string[];
  negatable?: readonly string[];
  alias?: Readonly<Record<string, string>>;
  /** Called for each option that is not named above; `false` drops it. */
  unknown?: (argument: string, key?: string, value?: unknown) => unknown;
}

/** What `parseArgs` makes of the arguments. */
export type ParsedArgs = { _: (string | number)[] } & Record<string, unknown>;

/** Reads command-line arguments; see `@std/cli/parse-args`. */
export const parseArgs: (
  args: readonly string[],
  options?: ParseOptions,
) => ParsedArgs = untyped;
