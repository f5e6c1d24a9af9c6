/**
 * The single values of a sops file: which are encrypted, and which should be.
 *
 * @module
 */
/** What all values that sops encrypted begin with. */
export const encryptedMark = "ENC[AES256_GCM,";

/** An encrypted value, whole (sops, `aes/cipher.go`). */
const encryptedValue =
  /^ENC\[AES256_GCM,data:[^,\]]*,iv:[^,\]]+,tag:[^,\]]+,type:(?:str|int|float|bytes|bool|time|comment)\]$/;

/** The type in an encrypted value, e.g. `int`; `undefined` for others. */
export function encryptedType(value: string): string | undefined {
  return encryptedValue.test(value)
    ? value.slice(value.lastIndexOf(":") + 1, -1)
    : undefined;
}

/** Whether a value is one that sops encrypted. */
export function isEncryptedValue(value: unknown): boolean {
  return typeof value === "string" && encryptedValue.test(value);
}

/** A single value and the names that lead to it; list items have none. */
export interface Leaf {
  path: readonly string[];
  value: unknown;
}

const mostLeaves = 200_000;

/** Nobody nests secrets so deep, and each name on the way is kept. */
const deepest = 500;

/** Names on the way that are kept for all values together. */
const mostNames = 5_000_000;

/** More names of values than anybody reads. */
const mostShown = 100;

/**
 * All single values below `root`. Each map and list is visited once, so that
 * aliases neither loop nor multiply, and nothing recurses. A map that is too
 * deep, or beyond a large number of values, counts as one value, and that is
 * never an encrypted one.
 */
export function leaves(root: unknown): Leaf[] {
  const found: Leaf[] = [];
  const seen = new Set<object>();
  const open: Leaf[] = [{ path: [], value: root }];
  let names = 0;
  for (let item = open.pop(); item; item = open.pop()) {
    const { path, value } = item;
    const isSingle = value === null || typeof value !== "object" ||
      value instanceof Date;
    if (isSingle || path.length > deepest) {
      found.push(item);
      if (found.length > mostLeaves) return found.concat(open);
      continue;
    }
    if (seen.has(value)) continue;
    seen.add(value);
    const inside = Object.entries(value).reverse();
    names += inside.length * (path.length + 1);
    if (names > mostNames) return found.concat(open, item);
    for (const [key, below] of inside) {
      const next = Array.isArray(value) ? path : [...path, key];
      open.push({ path: next, value: below });
    }
  }
  return found;
}

/** Which values of a file are encrypted; at most one is set in a sound file. */
export interface LeafRule {
  unencryptedSuffix?: string;
  encryptedSuffix?: string;
  unencryptedRegex?: string;
  encryptedRegex?: string;
  /** Comments decide, which this reader does not see. */
  byComment: boolean;
}

/**
 * The values that the rule wants encrypted and that are not, by their names.
 * Never the values themselves.
 *
 * @returns the first names, joined by dots; none where the rule can't be told.
 */
export function plainLeaves(
  documents: readonly unknown[],
  rule: LeafRule,
): string[] {
  const wanted = judgeOf(rule);
  if (!wanted) return [];
  const names = new Set<string>();
  for (const { path, value } of documents.flatMap((one) => leaves(one))) {
    // sops leaves these as they are.
    const isNothing = value === null || value === undefined || value === "";
    if (isNothing || isEncryptedValue(value) || !wanted(path)) continue;
    names.add(shownPath(path));
    if (names.size === mostShown) break;
  }
  return [...names];
}

/** A name may be as long as the file, and stand before many values. */
const shownPath = (path: readonly string[]) =>
  path.map((name) => name.slice(0, longestName)).join(".");

/** As sops decides (`sops.go`, "shouldBeEncrypted"): any name on the way counts. */
function judgeOf(
  rule: LeafRule,
): ((path: readonly string[]) => boolean) | undefined {
  if (rule.byComment) return undefined;
  const tests: [(name: string) => boolean, boolean][] = [];
  const { unencryptedSuffix, encryptedSuffix } = rule;
  if (unencryptedSuffix) {
    tests.push([(name) => name.endsWith(unencryptedSuffix), false]);
  }
  if (encryptedSuffix) {
    tests.push([(name) => name.endsWith(encryptedSuffix), true]);
  }
  for (
    const [source, wants] of [
      [rule.unencryptedRegex, false],
      [rule.encryptedRegex, true],
    ] as const
  ) {
    if (source === undefined) continue;
    const pattern = patternOf(source);
    if (!pattern) return undefined;
    tests.push([(name) => pattern.test(name), wants]);
  }
  return (path) => tests.every(([test, wants]) => path.some(test) === wants);
}

/** Longer than any path or key that people give. */
const longestName = 300;

/** Says whether a pattern is found in a text. */
export type Pattern = Pick<RegExp, "test">;

/** What Go has and we do not, or the other way round. */
const otherSyntax = /\\[pPQzAC]|\(\?P?</;

/** `([^/]+/)*`, the folders on the way: its parts can't be split in two ways. */
const folders = /\((?:\?:)?\[\^\/\][+*]\/\)[+*]/g;

/**
 * A pattern in the syntax of Go, or `undefined` where it can't be told what it
 * means, or where it could take for ever: Go matches in linear time, and we
 * try all ways. So groups may not be repeated, and little else, and a name of
 * a length that nobody gives is not looked at.
 */
export function patternOf(source: string): Pattern | undefined {
  if (source.length > 1000 || otherSyntax.test(source)) return undefined;
  const [, flags = "", rest = ""] = /^(?:\(\?([ims]+)\))?([^]*)$/.exec(source)!;
  let pattern: RegExp;
  try {
    pattern = new RegExp(rest, flags);
  } catch {
    return undefined;
  }
  const plain = rest.replace(folders, "x*")
    .replace(/\\[^]|\[\^?(?:\\[^]|[^\]\\])*\]/g, "x");
  const number = (part: RegExp) => plain.match(part)?.length ?? 0;
  const isQuick = !/\)[+*{]/.test(plain) && number(/[+*{]/g) <= 3 &&
    number(/(?<![(+*}?])\?/g) <= 4;
  return isQuick
    ? { test: (text) => text.length <= longestName && pattern.test(text) }
    : undefined;
}
