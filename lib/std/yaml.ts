/**
 * `@std/yaml`, typed (why: see `cli_parse_args.ts`).
 *
 * @module
 */
import {
  parse as untypedParse,
  parseAll as untypedParseAll,
  stringify as untypedStringify,
} from "npm:deno-std@1.4.0/yaml/mod.js";

/**
 * Reads one YAML document.
 *
 * @throws {SyntaxError} Names line and column of what is wrong.
 */
export const parse: (text: string) => unknown = untypedParse;

/**
 * Reads all documents of a YAML text.
 *
 * @throws {SyntaxError} Names line and column of what is wrong.
 */
export const parseAll: (text: string) => unknown[] = untypedParseAll;

/** Writes a value as YAML. */
export const stringify: (value: unknown) => string = untypedStringify;
