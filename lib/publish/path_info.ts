/**
 * Reads the output of `nix path-info --json`. Pure.
 *
 * ## The format
 * Nix 2.8 to 2.18 write a list of objects with `path`, and `valid: false` for
 * what is missing; 2.19 and later an object by path, with `null` for it; the
 * newest put that under `info`.
 *
 * @module
 */
import { isObject } from "../base/json.ts";

/** A path in a store. */
export interface StoredPath {
  path: string;
  /** The names of the keys that signed it. */
  signers: readonly string[];
}

/**
 * Returns the paths of an answer, or `undefined` if one is missing or the
 * answer can't be read.
 *
 * @param asked The path that must be among them.
 */
export function pathsIn(
  answer: string,
  asked: string,
): StoredPath[] | undefined {
  const entries = entriesIn(answer);
  const paths: StoredPath[] = [];
  for (const [path, info] of entries) {
    if (!isObject(info) || info["valid"] === false) return undefined;
    paths.push({ path, signers: signersOf(info["signatures"]) });
  }
  const base = asked.slice(asked.lastIndexOf("/") + 1);
  const isAsked = paths.some(({ path }) => path.endsWith(base));
  return isAsked ? paths : undefined;
}

function entriesIn(answer: string): [string, unknown][] {
  let value: unknown;
  try {
    value = JSON.parse(answer);
  } catch {
    return [];
  }
  if (Array.isArray(value)) {
    return value.map((info) => [String(info?.path), info]);
  }
  if (!isObject(value)) return [];
  return Object.entries(isObject(value["info"]) ? value["info"] : value);
}

/** Reads `NAME:SIGNATURE`, or an object with the name. */
function signersOf(signatures: unknown): string[] {
  if (!Array.isArray(signatures)) return [];
  return signatures.map((one) =>
    isObject(one) ? String(one["keyName"]) : String(one).split(":")[0]!
  );
}
