/**
 * Colours for results on a terminal.
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
