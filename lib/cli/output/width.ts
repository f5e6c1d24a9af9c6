/**
 * Measures text on a terminal, in columns.
 *
 * @module
 */

/** Letters that take two columns (Unicode TR11, W and F), roughly. */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
/** Marks and format characters, which take no column. */
const zeroWidth = /[\p{M}\p{Cf}]/u;

/** Returns the columns that text takes; it must contain no escapes. */
export function widthOf(text: string): number {
  // Most text has only letters that take one column each.
  if (/^[ -~]*$/.test(text)) return text.length;
  let width = 0;
  for (const letter of text) width += widthOfLetter(letter);
  return width;
}

function widthOfLetter(letter: string): number {
  if (zeroWidth.test(letter)) return 0;
  return wide.test(letter) ? 2 : 1;
}

/** Returns the longest beginning of a text that fits in the columns. */
export function beginning(text: string, columns: number): string {
  let width = 0, fitted = "";
  for (const letter of text) {
    width += widthOfLetter(letter);
    if (width > columns) break;
    fitted += letter;
  }
  return fitted;
}

/** Returns text that fits in the columns; text that is cut ends in `…`. */
export function fit(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  return columns < 1 ? "" : `${beginning(text, columns - 1)}…`;
}

/** Returns text that takes exactly these columns. */
export function fill(text: string, columns: number): string {
  const fitted = fit(text, columns);
  return fitted + " ".repeat(Math.max(0, columns - widthOf(fitted)));
}
