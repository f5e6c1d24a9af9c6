/**
 * What the package says, read from the text of its files.
 *
 * @module
 */

const textOf = (name: string) =>
  Deno.readTextFileSync(new URL(`../../nix/${name}`, import.meta.url));

/** The text of its expression. */
export const expression = textOf("package.nix");

/** The flags that it gives Deno for permissions. */
export const permissions: string = /\npermissions='([^']*)'/.exec(
  textOf("build.sh"),
)![1]!;

/** The programs that it lets the program run, by name. */
export const mayRun: string[] = Object.keys(
  JSON.parse(textOf("programs.json")),
);
