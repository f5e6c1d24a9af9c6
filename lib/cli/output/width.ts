/**
 * How wide text is on a terminal, in columns.
 *
 * @module
 */

/** Letters that take two columns (Unicode TR11, W and F), roughly. */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
/** Marks and formats, which take none. */
const none = /[\p{M}\p{Cf}]/u;

/** The columns that text takes, without escapes in it. */
export function widthOf(text: string): number {
  // Most text is of letters that take one each.
  if (/^[ -~]*$/.test(text)) return text.length;
  let width = 0;
  for (const letter of text) width += widthOfLetter(letter);
  return width;
}

function widthOfLetter(letter: string): number {
  if (none.test(letter)) return 0;
  return wide.test(letter) ? 2 : 1;
}

/** The longest beginning of a text that takes at most so many columns. */
export function beginning(text: string, columns: number): string {
  let width = 0, fitted = "";
  for (const letter of text) {
    width += widthOfLetter(letter);
    if (width > columns) break;
    fitted += letter;
  }
  return fitted;
}

/** Text that takes at most so many columns; one that is cut ends in `…`. */
export function fit(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  return columns < 1 ? "" : `${beginning(text, columns - 1)}…`;
}

/** Text that takes so many columns, no more and no less. */
export function fill(text: string, columns: number): string {
  const fitted = fit(text, columns);
  return fitted + " ".repeat(Math.max(0, columns - widthOf(fitted)));
}
