/**
 * The creation rules of a `.sops.yaml`: the recipients for each file.
 *
 * @module
 */
import { parse } from "@std/yaml";
import { excessOf } from "./excess.ts";
import { type Fields, isMap } from "./formats.ts";
import { type LeafRule, type Pattern, patternOf } from "./leaves.ts";
import { ruleOf, type SopsRecipient } from "./metadata.ts";

/** A creation rule. */
export interface CreationRule {
  /** The pattern as written; a rule without it applies to all other files. */
  pathRegex?: string;
  /** The key groups; without Shamir there is one. */
  groups: readonly (readonly SopsRecipient[])[];
  rule: LeafRule;
}

/** The content of a `.sops.yaml`. */
export interface SopsRules {
  rules: readonly CreationRule[];
  /** Why some or all of it can't be read. */
  why?: string;
}

/** The largest file in bytes; real ones are smaller. */
const mostText = 1024 * 1024;

/** The most maps and keys that are read for all rules together. */
const mostMaps = 300_000;

/** The most characters in keys of all rules together; aliases repeat them. */
const mostKeyText = 32 * 1024 * 1024;

/** Reads a `.sops.yaml`. Never throws. */
export function readRules(text: string): SopsRules {
  if (text.length > mostText) {
    return { rules: [], why: `it is longer than ${mostText >> 20} MiB` };
  }
  const excess = excessOf(text, true);
  if (excess !== undefined) return { rules: [], why: excess };
  let content: unknown;
  try {
    content = parse(text);
  } catch {
    return { rules: [], why: "its syntax is wrong" };
  }
  const listed = isMap(content) ? content.creation_rules : undefined;
  if (!Array.isArray(listed)) return { rules: [] };
  const budget = { maps: mostMaps, keyText: mostKeyText };
  const rules = listed.filter(isMap).map((fields) =>
    creationRule(fields, budget)
  );
  if (budget.maps <= 0 || budget.keyText <= 0) {
    return { rules: [], why: "its key groups refer to each other too often" };
  }
  const unclear = rules.findIndex((rule) =>
    rule.pathRegex !== undefined && patternIn(rule) === undefined
  );
  return unclear === -1 ? { rules } : {
    rules,
    why: `the path_regex of its rule ${
      unclear + 1
    } is too complex to match here`,
  };
}

/**
 * Returns the first rule whose pattern matches the path, as sops chooses.
 *
 * @param path The path relative to the folder of the `.sops.yaml`.
 * @returns `undefined` if none matches, or if an earlier pattern is unknown.
 */
export function ruleFor(
  rules: readonly CreationRule[],
  path: string,
): CreationRule | undefined {
  for (const rule of rules) {
    if (rule.pathRegex === undefined) return rule;
    const pattern = patternIn(rule);
    if (!pattern) return undefined;
    if (pattern.test(path)) return rule;
  }
  return undefined;
}

/** Compiled once for each rule, because each file needs it. */
const patterns = new WeakMap<CreationRule, Pattern | undefined>();

function patternIn(rule: CreationRule): Pattern | undefined {
  if (!patterns.has(rule)) patterns.set(rule, patternOf(rule.pathRegex ?? ""));
  return patterns.get(rule);
}

/** Whether a plaintext file should have been encrypted. */
export function wantsEncrypted(rule: CreationRule, path: string): boolean {
  return rule.groups.length > 0 && isAboutPlace(rule, path) &&
    mayBeSecret(path);
}

/**
 * Whether a rule is specific to a place. A rule that matches any file name with
 * that extension only says how to encrypt, and not what.
 */
function isAboutPlace(rule: CreationRule, path: string): boolean {
  if (rule.pathRegex === undefined) return false;
  const ending = /\.[^./]*$/.exec(path)?.[0] ?? "";
  return ruleFor([rule], `any-name-at-all${ending}`) === undefined;
}

/**
 * Whether a file may be a secret: a pattern such as `secrets/.*` also matches
 * other files in the folder.
 */
function mayBeSecret(path: string): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return !/\.(nix|md|rst|adoc|pub|age|gpg|asc|lock|sh)$/i.test(name) &&
    !/^(readme|license|makefile|justfile)/i.test(name) &&
    (!name.startsWith(".") || name.endsWith(".env")) &&
    !/^\.(github|gitlab|gitea|forgejo|vscode|idea)\//.test(path);
}

/** The remaining maps, keys and characters of keys that may be read. */
interface Budget {
  maps: number;
  keyText: number;
}

function creationRule(fields: Fields, budget: Budget): CreationRule {
  const { path_regex: pathRegex, key_groups: listed } = fields;
  const groups = Array.isArray(listed)
    ? listed.filter(isMap).map((group) => groupOf(group, budget))
    : [groupOf(fields, budget)];
  return {
    ...(typeof pathRegex === "string" && pathRegex !== "" ? { pathRegex } : {}),
    groups: groups.filter((group) => group.length > 0),
    rule: ruleOf(fields),
  };
}

/**
 * Returns the keys of a group and of all groups that it merges. Reads each map
 * once, so that aliases neither loop nor multiply. sops counts a repeated key
 * once.
 */
function groupOf(group: Fields, budget: Budget): SopsRecipient[] {
  const seen = new Set<Fields>();
  const open = [group];
  const found = new Map<string, SopsRecipient>();
  for (let fields = open.pop(); fields; fields = open.pop()) {
    if (seen.has(fields)) continue;
    if (budget.maps-- <= 0) return [];
    seen.add(fields);
    budget.keyText -= textLengthIn(fields);
    if (budget.keyText <= 0) return [];
    const keys = keysOf(fields);
    budget.maps -= keys.length;
    for (const one of keys) found.set(`${one.kind} ${one.name}`, one);
    if (!Array.isArray(fields.merge)) continue;
    for (const below of new Set(fields.merge.toReversed())) {
      if (isMap(below)) open.push(below);
    }
  }
  return [...found.values()];
}

/** Returns the characters of all key names in a group. */
function textLengthIn(fields: Fields): number {
  let length = 0;
  for (const name of keyFields) {
    const value = fields[name];
    const texts = Array.isArray(value) ? value : [value];
    for (const text of texts) {
      length += typeof text === "string" ? text.length : 1;
    }
  }
  return length;
}

const keyFields = ["age", "pgp", "hc_vault_transit_uri", "hc_vault"];

// Outside of groups, sops reads texts with commas; in groups it reads lists.
function keysOf(fields: Fields): SopsRecipient[] {
  return [
    ...namesIn(fields.age).map((name) => ({ kind: "age" as const, name })),
    ...namesIn(fields.pgp).map((name) => ({
      kind: "pgp" as const,
      name: name.replaceAll(" ", "").toUpperCase(),
    })),
    ...[
      ...namesIn(fields.hc_vault_transit_uri),
      ...namesIn(fields.hc_vault),
    ].map(vaultRecipient),
  ];
}

function namesIn(value: unknown): string[] {
  const texts = Array.isArray(value) ? value : [value];
  return texts.filter((text) => typeof text === "string")
    .flatMap((text: string) => text.split(","))
    .map((name) => name.trim()).filter((name) => name !== "");
}

/** Splits a URL such as `https://vault.example.org/v1/transit/keys/web`. */
function vaultRecipient(name: string): SopsRecipient {
  const parts = /^(.*?)\/v1\/(.+)\/keys\/([^/]+)\/?$/.exec(name);
  if (!parts) return { kind: "hc_vault", name };
  const [, address, enginePath, keyName] = parts;
  return {
    kind: "hc_vault",
    name,
    vault: {
      address: address!,
      enginePath: enginePath!,
      keyName: keyName!,
    },
  };
}
