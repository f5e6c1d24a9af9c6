/**
 * Adds a recipient to rules of a `.sops.yaml`, as a person would: keeps
 * comments, anchors and layout. Pure.
 *
 * @module
 */
import { readRules } from "../sops/rules.ts";

/** The recipient to add, and its name. */
export interface Newcomer {
  name: string;
  recipient: string;
}

/**
 * Adds a recipient to some rules.
 *
 * @param rules The indexes of the rules, from 0.
 * @returns the new text; `undefined` if the layout is unknown, or if a person
 * must choose between key groups.
 */
export function addToSops(
  text: string,
  newcomer: Newcomer,
  rules: ReadonlySet<number>,
): string | undefined {
  const before = readRules(text).rules;
  const lacking = [...rules].filter((i) =>
    !before[i]?.groups.flat().some(({ name }) => name === newcomer.recipient)
  );
  const lines = text.split("\n");
  // From the last rule to the first, so that the lines before stay in place.
  for (const i of lacking.toSorted((a, b) => b - a)) {
    if (!addToRule(lines, rangesOf(lines)[i], newcomer)) return undefined;
  }
  if (lacking.length > 0) anchor(lines, newcomer);
  const result = lines.join("\n");
  return isAsMeant(text, result, newcomer, lacking) ? result : undefined;
}

/** From its first line to the line after it. */
type Range = [number, number];

/** Returns the lines of each rule. */
function rangesOf(lines: readonly string[]): Range[] {
  const start = lines.findIndex((line) =>
    /^creation_rules:\s*(#.*)?$/.test(line)
  );
  if (start === -1) return [];
  const length = lines.slice(start + 1).findIndex((line) =>
    /^[^\s#-]/.test(line)
  );
  const end = length === -1 ? lines.length : start + 1 + length;
  const first = lines.slice(start + 1, end).find((line) => /^\s*- /.test(line));
  const indent = first?.indexOf("-") ?? -1;
  const heads = lines.flatMap((line, i) =>
    i > start && i < end && line.indexOf("- ") === indent &&
      line.trimStart().startsWith("-")
      ? [i]
      : []
  );
  return heads.map((head, i) => [head, heads[i + 1] ?? end]);
}

function listOf({ recipient }: Newcomer): string {
  return /^[0-9A-F]{40}$/.test(recipient) ? "pgp" : "age";
}

/** Adds to the one list of a rule. `*name` is made an anchor afterwards. */
function addToRule(
  lines: string[],
  range: Range | undefined,
  newcomer: Newcomer,
): boolean {
  if (!range) return false;
  const key = new RegExp(`^([\\s-]*)${listOf(newcomer)}:\\s*(.*?)\\s*$`);
  const heads = [];
  for (let i = range[0]; i < range[1]; i++) {
    const [, before, value] = key.exec(lines[i]!) ?? [];
    if (before !== undefined) heads.push({ i, column: before.length, value });
  }
  const [head] = heads;
  if (heads.length !== 1 || !head) return false;
  const { i, column, value = "" } = head;
  if (value === "" || value.startsWith("#")) {
    return addItem(lines, i, column, newcomer);
  }
  if (/^[>|][+-]?$/.test(value)) return addLine(lines, i, newcomer);
  lines[i] = inLine(lines[i]!, value, newcomer);
  return true;
}

/** Adds to a list with one item per line. */
function addItem(
  lines: string[],
  head: number,
  column: number,
  { name }: Newcomer,
): boolean {
  let last: { i: number; indent: string } | undefined;
  for (let i = head + 1; i < lines.length; i++) {
    const line = lines[i]!;
    if (/^\s*(#.*)?$/.test(line)) continue;
    const indent = /^(\s*)- /.exec(line)?.[1];
    if (indent === undefined || indent.length < column) break;
    last = { i, indent };
  }
  if (!last) return false;
  lines.splice(last.i + 1, 0, `${last.indent}- *${name}`);
  return true;
}

/** Adds to a text over more than one line, with commas. */
function addLine(
  lines: string[],
  head: number,
  { recipient }: Newcomer,
): boolean {
  const margin = lines[head]!.search(/[^\s-]/);
  let last = head;
  for (let i = head + 1; i < lines.length; i++) {
    const column = lines[i]!.search(/\S/);
    if (column !== -1 && column <= margin) break;
    if (column !== -1) last = i;
  }
  if (last === head) return false;
  const line = lines[last]!.trimEnd();
  const indent = /^\s*/.exec(line)![0];
  lines[last] = line.endsWith(",") ? line : `${line},`;
  lines.splice(last + 1, 0, `${indent}${recipient}`);
  return true;
}

/** Adds to a list in brackets, or a text with commas. */
function inLine(line: string, value: string, newcomer: Newcomer): string {
  const { name, recipient } = newcomer;
  const at = line.lastIndexOf(value);
  const parts = value.startsWith("[")
    ? /^(\[.*?)(\s*\].*)$/.exec(value)
    : /^(["']?[^"'#]*?)(["']?(?:\s+#.*)?)$/.exec(value);
  if (!parts) return line;
  const [, kept, rest] = parts;
  const added = value.startsWith("[") ? `, *${name}` : `,${recipient}`;
  return `${line.slice(0, at)}${kept}${added}${rest}`;
}

/** Binds the name to its key: in the list `keys`, or at its first use. */
function anchor(lines: string[], { name, recipient }: Newcomer): void {
  const isThere = new RegExp(`&${name}\\s`);
  if (lines.some((line) => isThere.test(line))) return;
  const written = `&${name} ${recipient}`;
  const start = lines.findIndex((line) => /^keys:\s*(#.*)?$/.test(line));
  let last: { i: number; indent: string } | undefined;
  for (let i = start + 1; start !== -1 && i < lines.length; i++) {
    if (/^[^\s#-]/.test(lines[i]!)) break;
    const indent = /^(\s*)- /.exec(lines[i]!)?.[1];
    if (indent !== undefined) last = { i, indent };
  }
  if (last) {
    lines.splice(last.i + 1, 0, `${last.indent}- ${written}`);
    return;
  }
  const use = new RegExp(`\\*${name}(?![\\w-])`);
  const first = lines.findIndex((line) => use.test(line));
  if (first !== -1) lines[first] = lines[first]!.replace(use, () => written);
}

/** Whether sops would read exactly the intended rules. */
function isAsMeant(
  before: string,
  after: string,
  { recipient }: Newcomer,
  rules: readonly number[],
): boolean {
  const [old, now] = [readRules(before).rules, readRules(after).rules];
  return old.length === now.length && now.every((rule, i) => {
    const expected = old[i]!.groups.map((group) =>
      group.map(({ name }) => name)
    );
    if (rules.includes(i)) expected[0]?.push(recipient);
    const found = rule.groups.map((group) => group.map(({ name }) => name));
    const sorted = (groups: string[][]) =>
      JSON.stringify(groups.map((group) => group.toSorted()));
    return rule.pathRegex === old[i]!.pathRegex &&
      sorted(found) === sorted(expected);
  });
}
