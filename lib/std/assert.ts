/**
 * `@std/assert`, typed (why: see `cli_parse_args.ts`). For tests alone.
 *
 * @module
 */
import * as untyped from "npm:deno-std@1.4.0/assert/mod.js";

// deno-lint-ignore no-explicit-any
type ErrorClass = new (...args: any[]) => Error;

/** The functions of `@std/assert` that the tests use. */
interface Assertions {
  assert(condition: unknown, message?: string): asserts condition;
  assertEquals<T>(actual: T, expected: T, message?: string): void;
  assertNotEquals<T>(actual: T, expected: T, message?: string): void;
  assertExists<T>(
    actual: T,
    message?: string,
  ): asserts actual is NonNullable<T>;
  assertStringIncludes(
    actual: string,
    expected: string,
    message?: string,
  ): void;
  assertMatch(actual: string, expected: RegExp, message?: string): void;
  assertNotMatch(actual: string, expected: RegExp, message?: string): void;
  assertThrows(
    call: () => unknown,
    kind?: ErrorClass,
    includes?: string,
  ): Error;
  assertRejects(
    call: () => Promise<unknown>,
    kind?: ErrorClass,
    includes?: string,
  ): Promise<Error>;
}

const typed = untyped as unknown as Assertions;

export const assert: Assertions["assert"] = typed.assert;
export const assertEquals: Assertions["assertEquals"] = typed.assertEquals;
export const assertNotEquals: Assertions["assertNotEquals"] =
  typed.assertNotEquals;
export const assertExists: Assertions["assertExists"] = typed.assertExists;
export const assertStringIncludes: Assertions["assertStringIncludes"] =
  typed.assertStringIncludes;
export const assertMatch: Assertions["assertMatch"] = typed.assertMatch;
export const assertNotMatch: Assertions["assertNotMatch"] =
  typed.assertNotMatch;
export const assertThrows: Assertions["assertThrows"] = typed.assertThrows;
export const assertRejects: Assertions["assertRejects"] = typed.assertRejects;
