/**
 * The values of a sops file: which are encrypted, and which should be.
 *
 * @module
 */
/** The beginning of all values that sops encrypted. */
export const encryptedMark = "ENC[AES256_GCM,";

/** A complete encrypted value (sops, `aes/cipher.go`). */
const encryptedValue =
  /^ENC\[AES256_GCM,data:[^,\]]*,iv:[^,\]]+,tag:[^,\]]+,type:(?:str|int|float|bytes|bool|time|comment)\]$/;

/**
 * Returns the type in an encrypted value, e.g. `int`; `undefined` for other
 * values.
 */
export function encryptedType(value: string): string | undefined {
  return encryptedValue.test(value)
    ? value.slice(value.lastIndexOf(":") + 1, -1)
    : undefined;
}

/** Whether a value is one that sops encrypted. */
export function isEncryptedValue(value: unknown): boolean {
  return typeof value === "string" && encryptedValue.test(value);
}

/** A value and the names on its path; list items have none. */
export interface Leaf {
  path: readonly string[];
  value: unknown;
}

const mostLeaves = 200_000;

/**
 * The deepest nesting; real files are not so deep, and each name on a path
 * takes memory.
 */
const deepest = 500;

/** The most names on paths for all values together. */
const mostNames = 5_000_000;

/** The most names that are shown. */
const mostShown = 100;

/**
 * Returns all values below `root`. Visits each map and list once, without
 * recursion, so that aliases neither loop nor multiply. A map that is too deep,
 * or beyond the limit of values, counts as one value that is not encrypted.
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

/** Which values of a file are encrypted; a valid file sets at most one. */
export interface LeafRule {
  unencryptedSuffix?: string;
  encryptedSuffix?: string;
  unencryptedRegex?: string;
  encryptedRegex?: string;
  /** Whether comments decide, which this reader does not see. */
  byComment: boolean;
}

/**
 * Returns the names of values that must be encrypted and are not. Never returns
 * the values themselves.
 *
 * @returns the first names, joined by dots; none if the rule is unknown.
 */
export function plainLeaves(
  documents: readonly unknown[],
  rule: LeafRule,
): string[] {
  const wanted = judgeOf(rule);
  if (!wanted) return [];
  const names = new Set<string>();
  for (const { path, value } of documents.flatMap((one) => leaves(one))) {
    // sops does not encrypt these.
    const isNothing = value === null || value === undefined || value === "";
    if (isNothing || isEncryptedValue(value) || !wanted(path)) continue;
    names.add(shownPath(path));
    if (names.size === mostShown) break;
  }
  return [...names];
}

/**
 * Shortens names: a name may be as long as the file, and come before many
 * values.
 */
const shownPath = (path: readonly string[]) =>
  path.map((name) => name.slice(0, longestName)).join(".");

/**
 * Decides as sops does (`sops.go`, "shouldBeEncrypted"): any name on the path
 * counts.
 */
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

/** The longest name; paths and keys of people are shorter. */
const longestName = 300;

/** A pattern that can be searched for in a text. */
export type Pattern = Pick<RegExp, "test">;

/** Syntax that only Go or only JavaScript has. */
const otherSyntax = /\\[pPQzAC]|\(\?P?</;

/** `([^/]+/)*`, folders in a path: it can't match in two ways. */
const folders = /\((?:\?:)?\[\^\/\][+*]\/\)[+*]/g;

/**
 * Returns a pattern in Go's syntax, or `undefined` if its meaning is unknown,
 * or if it could take forever. Go matches in linear time, but JavaScript tries
 * all ways. So groups and most other parts may not be repeated, and too long
 * names never match.
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
