/**
 * Finds the creation rule of each file of a tree. Pure.
 *
 * @module
 */
import {
  type CreationRule,
  readRules,
  ruleFor,
  type SopsRules,
  wantsEncrypted,
} from "../sops/rules.ts";

/** A `.sops.yaml`. */
export interface RulesFile {
  /** Its folder with a trailing slash; empty at the top. */
  folder: string;
  text: string;
}

/** The rules of a tree, and the files that they apply to. */
export interface TreeRules {
  /** All rules, grouped by file. */
  rules: readonly CreationRule[];
  /** For each path the index of its rule in `rules`, or -1. */
  of: Int32Array;
  /** For each path 1 if the rule is specific to its place. */
  expected: Uint8Array;
  /** Files that can't be read: the folder and why. */
  bad: readonly { folder: string; why: string }[];
}

/** Finds the rule of each path, in the nearest `.sops.yaml` above it. */
export function treeRules(
  files: readonly RulesFile[],
  paths: readonly string[],
): TreeRules {
  const byText = new Map<string, SopsRules>();
  const read = (text: string) => {
    const known = byText.get(text) ?? readRules(text);
    byText.set(text, known);
    return known;
  };
  const byFolder = new Map(
    files.map(({ folder, text }) => [folder, read(text)]),
  );
  const nearest = nearestIn(byFolder);
  const rules: CreationRule[] = [];
  const places = new Map<CreationRule, number>();
  const of = new Int32Array(paths.length).fill(-1);
  const expected = new Uint8Array(paths.length);
  for (const [i, path] of paths.entries()) {
    const folder = nearest(folderOf(path));
    if (folder === undefined) continue;
    const rule = ruleFor(
      byFolder.get(folder)!.rules,
      path.slice(folder.length),
    );
    if (!rule) continue;
    if (!places.has(rule)) places.set(rule, rules.push(rule) - 1);
    of[i] = places.get(rule)!;
    expected[i] = wantsEncrypted(rule, path) ? 1 : 0;
  }
  const bad = [...byFolder].flatMap(([folder, { why }]) =>
    why === undefined ? [] : [{ folder, why }]
  );
  return { rules, of, expected, bad };
}

const folderOf = (path: string) => path.slice(0, path.lastIndexOf("/") + 1);

/** Returns a lookup that searches for each folder only once. */
function nearestIn(
  files: ReadonlyMap<string, unknown>,
): (folder: string) => string | undefined {
  const known = new Map<string, string | undefined>();
  return (start) => {
    const asked: string[] = [];
    let folder = start;
    let found: string | undefined;
    for (;;) {
      if (known.has(folder)) {
        found = known.get(folder);
        break;
      }
      asked.push(folder);
      if (files.has(folder)) {
        found = folder;
        break;
      }
      if (folder === "") break;
      folder = folderOf(folder.slice(0, -1));
    }
    for (const one of asked) known.set(one, found);
    return found;
  };
}
