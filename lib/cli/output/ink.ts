/**
 * Colours text, and wraps it for a terminal.
 *
 * @module
 */

import { widthOf } from "./width.ts";

/** Colours a text: the code is a list of SGR parameters (ECMA-48, 8.3.117). */
export type Ink = (code: string, text: string) => string;

/** Adds no colour. */
export const noInk: Ink = (_code, text) => text;

/**
 * Returns the ink for a stream: no colour if it is not a terminal, or if
 * `NO_COLOR` is set and not empty (no-color.org).
 */
export function inkFor(stream: { isTerminal(): boolean }): Ink {
  const isPlain = !stream.isTerminal() ||
    (Deno.env.get("NO_COLOR") ?? "") !== "" || Deno.env.get("TERM") === "dumb";
  return isPlain ? noInk : (code, text) => `\x1b[${code}m${text}\x1b[0m`;
}

/** Colours a text for standard output. */
export const ink: Ink = (code, text) => inkFor(Deno.stdout)(code, text);

/**
 * Returns the columns of a terminal; `undefined` if the stream is not a
 * terminal, or if the width is unknown.
 */
export function columnsOf(
  stream: { isTerminal(): boolean },
): number | undefined {
  try {
    // A serial console reports 0 if the width is unknown.
    return stream.isTerminal()
      ? Deno.consoleSize().columns || undefined
      : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Wraps the lines of a text between words. Lines that begin with a space are
 * commands, columns or evidence, and stay unchanged.
 *
 * @param columns The maximum width of a line; the default is unlimited.
 */
export function fitted(text: string, columns = Infinity): string {
  if (columns === Infinity) return text;
  return text.split("\n").flatMap((line) =>
    line.startsWith(" ")
      ? [line]
      : wrapped(line, columns, line.startsWith("hint: ") ? "      " : "")
  ).join("\n");
}

/**
 * Wraps a line between words. `gitops-sync` stays in one line with its command.
 *
 * @param room The columns of a line.
 * @param indent Begins each line except the first.
 * @param broken Breaks a word that is longer than a line. By default it stays in
 * one piece, so that it can be copied.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { wrapped } from "./ink.ts";
 *
 * assertEquals(wrapped("one two three", 8, "  "), ["one two", "  three"]);
 * ```
 */
export function wrapped(
  text: string,
  room: number,
  indent = "",
  broken = (word: string): readonly string[] => [word],
): string[] {
  const [first = "", ...words] = text.split(/(?<!\bgitops-sync) /);
  const lines = [...broken(first)];
  for (const word of words) {
    const line = lines.at(-1)!;
    if (widthOf(line) + 1 + widthOf(word) <= room) {
      lines[lines.length - 1] = `${line} ${word}`;
    } else lines.push(...broken(word).map((part) => indent + part));
  }
  return lines;
}
