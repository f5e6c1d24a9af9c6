/**
 * `@std/yaml`, typed (why: see `cli_parse_args.ts`).
 *
 * @module
 */
import {
  parse as untypedParse,
  stringify as untypedStringify,
} from "npm:deno-std@1.4.0/yaml/mod.js";

/**
 * Reads one YAML document.
 *
 * @throws {SyntaxError} Names line and column of what is wrong.
 */
export const parse: (text: string) => unknown = untypedParse;

/** Writes a value as YAML. */
export const stringify: (value: unknown) => string = untypedStringify;
