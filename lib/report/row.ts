/**
 * Labels with texts, on a terminal or a page.
 *
 * @module
 */

/** A label and its text. */
export interface Row {
  /** Empty if it continues the row above. */
  label: string;
  text: string;
  /** The colour of the text: one of {@linkcode inks}. */
  colour?: string | undefined;
}

/**
 * Our colours, for a word, a mark or a label. On some terminals, green has a
 * contrast of 2.2 on white, and red of 3.0 on black, so a sentence keeps the
 * terminal's own colour. Yellow and cyan are unreadable on white (1.7 and 2.0 in
 * xterm). Magenta, the colour of Nix's warnings, has 3.6 and more on both.
 */
export const inks = {
  good: "32",
  bad: "31",
  warning: "35",
  busy: "1",
  bold: "1",
  dim: "2",
} as const;
