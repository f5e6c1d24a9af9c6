/**
 * Checks the shape of data from a file: a person may have edited it, or a disk
 * may have lost a part of it.
 *
 * @module
 */

/** Whether a value has the expected shape. */
export type Shape = (value: unknown) => boolean;

/** Returns a shape that also accepts a missing value. */
export function optional(shape: Shape): Shape {
  return (value) => value === undefined || value === null || shape(value);
}

/** Returns the shape of a list of such values. */
export function listOf(shape: Shape): Shape {
  return (value) => Array.isArray(value) && value.every(shape);
}

/** Returns the shape of an object with these parts; it may have others. */
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

/** A finite number. */
export const isNumber: Shape = Number.isFinite;

/** A point in time, ISO 8601. */
export const isTime: Shape = (value) =>
  typeof value === "string" && !Number.isNaN(Date.parse(value));

/** Who signed something, if that was checked. */
export const areSigners: Shape = optional(
  listOf(object({ name: isText, key: isText })),
);
