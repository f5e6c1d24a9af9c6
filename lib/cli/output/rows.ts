/**
 * Formats labels with text beside them, in colour and as wide as the terminal.
 *
 * @module
 */
import { beginning, widthOf } from "./width.ts";
import { shown } from "../../base/redact.ts";
import { type Ink, noInk, wrapped } from "./ink.ts";
import { inks, type Row } from "../../report/row.ts";

/** The colours and the width of the output. */
export interface Paper {
  ink: Ink;
  /** Text is wrapped at this width; without it, text is not wrapped. */
  columns?: number | undefined;
}

/** Narrower text is not wrapped, because it would be hard to read. */
const minWidth = 20;

/**
 * Returns rows as lines. Text from outside is made safe here; the escapes of
 * colours are ours.
 */
export function rowLines(
  rows: readonly Row[],
  { ink, columns }: Paper = { ink: noInk },
): string[] {
  const width = Math.max(...rows.map(({ label }) => label.length)) + 2;
  const left = columns === undefined ? Infinity : columns - width;
  const room = left < minWidth ? Infinity : left;
  return rows.flatMap(({ label, text, colour }) => {
    const parts = shown(text).split("\n")
      .flatMap((line) =>
        wrapped(line, room, "", (word) => brokenWord(word, room))
      );
    return parts.map((part, i) => {
      const name = (i === 0 ? label : "").padEnd(width);
      return name.trim() === ""
        ? name + part
        : ink(colour ?? inks.dim, name) + part;
    });
  }).map((line) => line.trimEnd());
}

/** Breaks a word into lines of at most so many columns. */
function brokenWord(word: string, most: number): string[] {
  const lines: string[] = [];
  let rest = word;
  while (widthOf(rest) > most) {
    const end = endOfPart(rest, beginning(rest, most).length);
    lines.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return [...lines, rest];
}

/**
 * Returns where the last part of a path or URL ends, unless the line would be
 * half empty.
 */
function endOfPart(word: string, most: number): number {
  const parts = [...word.slice(0, most).matchAll(/[-/:,=_@]/g)];
  const end = (parts.at(-1)?.index ?? 0) + 1;
  return end > most / 2 ? end : most;
}
