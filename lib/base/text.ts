/**
 * Makes text from elsewhere safe to show.
 *
 * @module
 */

// C0, DEL and C1 controls, the separators of lines and paragraphs, and the marks
// and overrides of direction that can make one name look like another on a
// terminal (Unicode TR36, "bidirectional text spoofing").
const unsafe =
  // deno-lint-ignore no-control-regex
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Replaces control characters by `?`; line breaks stay. */
export function plain(text: string): string {
  return text.replace(unsafe, (letter) => letter === "\n" ? letter : "?");
}

/** Escapes control characters in JSON, without changing its meaning. */
export function escaped(json: string): string {
  return json.replace(unsafe, (letter) => {
    const code = letter.charCodeAt(0).toString(16).padStart(4, "0");
    return letter === "\n" ? letter : `\\u${code}`;
  });
}

/**
 * Makes one line of foreign text (a commit's subject, a program's output) safe
 * for a terminal, the journal and the history: control characters become `?`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { oneLine } from "./text.ts";
 *
 * assertEquals(oneLine("Greet\n\tagain \u001b[31m"), "Greet again ?[31m");
 * ```
 */
export function oneLine(text: string, most = 500): string {
  const line = text.replace(/\s+/g, " ").replace(unsafe, "?").trim();
  if (line.length <= most) return line;
  // Never cut a surrogate pair in half.
  return `${line.slice(0, most - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}

/**
 * Splits foreign output into safe lines, without the empty ones.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { safeLines } from "./text.ts";
 *
 * assertEquals(safeLines("\u001b[31mred\u001b[0m\n\nplain\r\n"), ["red", "plain"]);
 * ```
 */
export function safeLines(text: string): string[] {
  return withoutColour(text).split(/\r?\n|\r/).map((line) =>
    line.replace(/\t/g, "  ").replace(unsafe, "?").trimEnd()
  ).filter((line) => line !== "");
}

/** Removes colours and cursor movements (ECMA-48, "CSI"). */
export function withoutColour(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/\u001b\[[0-9;?]*[ -/]*[@-~]/g, "");
}

/** Returns the first 12 digits of a revision, as people name it. */
export function short(revision: string): string {
  return revision.slice(0, 12);
}

/** Returns a number with its noun: `1 file`, `2 files`. */
export function count(
  n: number,
  one: string,
  many = `${one}s`,
): string {
  return `${n} ${n === 1 ? one : many}`;
}

/**
 * Returns the last six lines that a program wrote to standard error, safe to
 * show.
 */
export function lastWords({ stderr }: { readonly stderr: string }): string[] {
  return stderr.split("\n").map((line) => oneLine(line))
    .filter((line) => line !== "").slice(-6);
}
