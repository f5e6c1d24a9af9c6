/**
 * What is told in labels with texts beside them, on a terminal or a page.
 *
 * @module
 */

/** A label and what is said of it. */
export interface Row {
  /** Empty: it goes on with the row above. */
  label: string;
  text: string;
  /** The colour of the text: one of {@linkcode inks}. */
  colour?: string | undefined;
}

/**
 * The colours of ours, for a word, a mark or a label: on some terminals green has
 * a contrast of 2.2 on white, and red one of 3.0 on black, so a sentence keeps
 * the terminal's own colour. Yellow and cyan can't be read on white at all (1.7
 * and 2.0 in xterm); magenta, which Nix warns in, has 3.6 and more on either.
 */
export const inks = {
  good: "32",
  bad: "31",
  warning: "35",
  busy: "1",
  bold: "1",
  dim: "2",
} as const;
