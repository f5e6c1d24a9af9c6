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

/** The colours of ours, as SGR takes them; each is legible on light and dark. */
export const inks = {
  good: "32",
  bad: "31",
  warning: "33",
  busy: "36",
  dim: "2",
} as const;
