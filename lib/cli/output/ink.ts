/**
 * Colours and widths on a terminal.
 *
 * @module
 */

import { widthOf } from "./width.ts";

/** Puts a text into a colour: the parameters of SGR (ECMA-48, 8.3.117). */
export type Ink = (code: string, text: string) => string;

/** No colour at all. */
export const noInk: Ink = (_code, text) => text;

/**
 * The ink for a stream: none where it is no terminal, or where `NO_COLOR` is set
 * and not empty (no-color.org).
 */
export function inkFor(stream: { isTerminal(): boolean }): Ink {
  const isPlain = !stream.isTerminal() ||
    (Deno.env.get("NO_COLOR") ?? "") !== "" || Deno.env.get("TERM") === "dumb";
  return isPlain ? noInk : (code, text) => `\x1b[${code}m${text}\x1b[0m`;
}

/** Colours a text of standard output. */
export const ink: Ink = (code, text) => inkFor(Deno.stdout)(code, text);

/** How many columns a terminal has; `undefined` where it is none or can't tell. */
export function columnsOf(
  stream: { isTerminal(): boolean },
): number | undefined {
  try {
    // A serial console says 0: it does not know.
    return stream.isTerminal()
      ? Deno.consoleSize().columns || undefined
      : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Breaks the lines of a text between words. Those that begin with a blank are
 * commands, columns or evidence, and stay as they are.
 *
 * @param columns What a line has; by default it has no end.
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
 * Breaks a line between words. A word that is too long stays whole, so that it
 * can be copied; and so does `gitops-sync` with its command, which would mean
 * something else alone.
 *
 * @param room The columns of a line.
 * @param indent Begins each line but the first.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { wrapped } from "./ink.ts";
 *
 * assertEquals(wrapped("one two three", 8, "  "), ["one two", "  three"]);
 * ```
 */
export function wrapped(text: string, room: number, indent = ""): string[] {
  const lines: string[] = [];
  let line: string | undefined;
  for (const word of text.split(/(?<!\bgitops-sync) /)) {
    if (line === undefined) line = word;
    else if (widthOf(line) + 1 + widthOf(word) <= room) line += ` ${word}`;
    else {
      lines.push(line);
      line = indent + word;
    }
  }
  return [...lines, line ?? ""];
}
