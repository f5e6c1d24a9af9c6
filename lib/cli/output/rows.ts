/**
 * Labels with texts beside them, in colour and as wide as the terminal.
 *
 * @module
 */
import { beginning, widthOf } from "./width.ts";
import { shown } from "../../base/redact.ts";
import { type Ink, noInk } from "./ink.ts";
import { inks, type Row } from "../../report/row.ts";

/** How it is drawn. */
export interface Paper {
  ink: Ink;
  /** Texts are broken between words to fit; none: they are not. */
  columns?: number | undefined;
}

/** Texts narrower than this are not broken: nobody could read them. */
const narrowest = 20;

/**
 * Rows as lines. What comes from elsewhere is made safe here; the escapes of
 * colours are ours.
 */
export function rowLines(
  rows: readonly Row[],
  { ink, columns }: Paper = { ink: noInk },
): string[] {
  const width = Math.max(...rows.map(({ label }) => label.length)) + 2;
  const room = columns === undefined ? Infinity : columns - width;
  return rows.flatMap(({ label, text, colour }) => {
    const parts = shown(text).split("\n")
      .flatMap((line) => broken(line, room < narrowest ? Infinity : room));
    return parts.map((part, i) => {
      const name = (i === 0 ? label : "").padEnd(width);
      return name.trim() === ""
        ? name + part
        : ink(colour ?? inks.dim, name) + part;
    });
  }).map((line) => line.trimEnd());
}

/** A text in lines of at most so many columns, broken at blanks where it can. */
function broken(text: string, most: number): string[] {
  const lines: string[] = [];
  let rest = text;
  while (widthOf(rest) > most) {
    const { length } = beginning(rest, most);
    const blank = rest.lastIndexOf(" ", length);
    // A command stays together.
    const at = rest.slice(0, blank).endsWith(" gitops-sync")
      ? rest.lastIndexOf(" ", blank - 1)
      : blank;
    const end = at > 0 ? at : endOfPart(rest, length);
    lines.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return [...lines, rest];
}

/** Where a path or URL ends a part last, if that leaves no line half empty. */
function endOfPart(word: string, most: number): number {
  const parts = [...word.slice(0, most).matchAll(/[-/:,=_@]/g)];
  const end = (parts.at(-1)?.index ?? 0) + 1;
  return end > most / 2 ? end : most;
}
