/**
 * Colours on a terminal.
 *
 * @module
 */

/** Puts a text into a colour: the parameters of SGR (ECMA-48, 8.3.117). */
export type Ink = (code: string, text: string) => string;

/** No colour at all. */
export const noInk: Ink = (_code, text) => text;

/** The colours of ours; each is legible on light and on dark. */
export const inks = {
  good: "32",
  bad: "31",
  warning: "33",
  busy: "36",
  dim: "2",
} as const;

/**
 * The ink for a stream: none where it is no terminal, or where `NO_COLOR` is set
 * and not empty (no-color.org).
 */
export function inkFor(stream: { isTerminal(): boolean }): Ink {
  const isPlain = !stream.isTerminal() ||
    (Deno.env.get("NO_COLOR") ?? "") !== "" || Deno.env.get("TERM") === "dumb";
  return isPlain ? noInk : (code, text) => `\x1b[${code}m${text}\x1b[0m`;
}

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
