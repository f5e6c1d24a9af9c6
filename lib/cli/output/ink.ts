/**
 * Colours and widths for results on a terminal.
 *
 * @module
 */

/**
 * Colours a text on a terminal. `NO_COLOR` is obeyed (no-color.org).
 *
 * @param code The number of the colour (ECMA-48, "select graphic rendition").
 */
export function ink(code: string, text: string): string {
  const isPlain = (Deno.env.get("NO_COLOR") ?? "") !== "" ||
    !Deno.stdout.isTerminal();
  return isPlain ? text : `\x1b[${code}m${text}\x1b[0m`;
}

/**
 * How many columns a line may have; no bound where nobody looks.
 *
 * @param stream Where the line goes.
 */
export function columnsOf(stream: { isTerminal(): boolean }): number {
  if (!stream.isTerminal()) return Infinity;
  try {
    // A serial console says 0: it does not know.
    return Deno.consoleSize().columns || 80;
  } catch {
    return 80;
  }
}

/**
 * Breaks a line between words. A word that is too long stays whole, so that it
 * can be copied.
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
  for (const word of text.split(" ")) {
    if (line === undefined) line = word;
    else if (line.length + 1 + word.length <= room) line += ` ${word}`;
    else {
      lines.push(line);
      line = indent + word;
    }
  }
  return [...lines, line ?? ""];
}
