/**
 * The configured values, and the problems with them.
 *
 * @module
 */
import type { OptionName } from "./schema.ts";

/** One configured value and its source, for messages. */
export interface Given {
  /** The key as it was written. */
  key: string;
  value: unknown;
  /** The source: a flag as typed, or the file. */
  from: { flag: string } | { path: string; text: string };
}

/** A problem with one configured value, or a missing value. */
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
