/**
 * JSON that anybody may have written.
 *
 * @module
 */

/** A JSON object with unknown values. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Returns whether a JSON value is an object, and not a list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Reads JSON; `undefined` if it is not valid. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
