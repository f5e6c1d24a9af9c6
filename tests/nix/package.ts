/**
 * What nix/package.nix says, read from its text.
 *
 * @module
 */

/** Its text. */
export const expression = Deno.readTextFileSync(
  new URL("../../nix/package.nix", import.meta.url),
);

/** The programs that it lets the program run, by name. */
export const mayRun: string[] = [
  .../mayRun = \{([^]*?)\n {2}\};/.exec(expression)![1]!
    .matchAll(/^ {4}([\w-]+) = /gm),
].map(([, name]) => name!);
