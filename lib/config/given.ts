/**
 * The values that somebody gave, and what is wrong with them.
 *
 * @module
 */
import type { OptionName } from "./schema.ts";

/** One value somebody gave, and where: for messages. */
export interface Given {
  /** The key as it was written. */
  key: string;
  value: unknown;
  /** Where it came from: a flag as typed, or the file. */
  from: { flag: string } | { path: string; text: string };
}

/** Something wrong with one given value, or one that is missing. */
export type Problem =
  | { kind: "unknown"; given: Given }
  | { kind: "value"; given: Given; expected: string }
  | { kind: "password"; given: Given }
  | { kind: "useless"; given: Given }
  | { kind: "keyless"; given: Given }
  | { kind: "forgeless"; given: Given }
  | { kind: "user"; given: Given }
  | { kind: "open"; given: Given }
  | { kind: "missing"; name: OptionName };
