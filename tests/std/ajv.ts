/**
 * A validator of JSON Schema (draft 2020-12), typed as far as it is used. For
 * tests alone: the program itself validates nothing with it.
 *
 * @module
 */
import untyped from "npm:ajv@8.17.1/dist/2020.js";

/** What is wrong with a value. */
export interface Wrong {
  instancePath: string;
  message?: string;
  params: Record<string, unknown>;
}

/** Says whether a value is as the schema wants it. */
export interface Validate {
  (value: unknown): boolean;
  errors?: Wrong[] | null;
}

/** A validator. */
export interface Validator {
  compile(schema: unknown): Validate;
}

/** Makes a validator. */
export const Ajv = untyped as unknown as new (
  options: Record<string, unknown>,
) => Validator;
