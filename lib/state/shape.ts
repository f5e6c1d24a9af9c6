/**
 * Whether what was read from a file has the shape that all else relies on: a
 * person may have edited it, or a disk may have lost a part of it.
 *
 * @module
 */

/** Says of a value that was read whether it is as it should be. */
export type Shape = (value: unknown) => boolean;

/** It may also be missing. */
export function optional(shape: Shape): Shape {
  return (value) => value === undefined || value === null || shape(value);
}

/** A list of such values. */
export function listOf(shape: Shape): Shape {
  return (value) => Array.isArray(value) && value.every(shape);
}

/** An object whose parts are as they should be; it may have others. */
export function object(parts: Readonly<Record<string, Shape>>): Shape {
  return (value) =>
    typeof value === "object" && value !== null &&
    Object.entries(parts).every(([name, shape]) =>
      shape((value as Record<string, unknown>)[name])
    );
}

/** Some text. */
export const isText: Shape = (value) => typeof value === "string";

/** True or false. */
export const isFlag: Shape = (value) => typeof value === "boolean";

/** A number that can be counted with. */
export const isNumber: Shape = Number.isFinite;

/** A point in time, ISO 8601. */
export const isTime: Shape = (value) =>
  typeof value === "string" && !Number.isNaN(Date.parse(value));

/** Who signed something, where that was checked. */
export const areSigners: Shape = optional(
  listOf(object({ name: isText, key: isText })),
);
