/**
 * The blocks of code in README and docs, for the tests that run them.
 *
 * @module
 */

const top = new URL("../../", import.meta.url);

/** One block. */
export interface Block {
  /** The file, from the top of the checkout. */
  page: string;
  /** The line of its first word, from 1. */
  line: number;
  /** What the fence names; empty if it names nothing. */
  language: string;
  text: string;
}

/** README and the pages of docs, by their path from the top. */
export function pages(): string[] {
  const guides = [...Deno.readDirSync(new URL("docs/", top))]
    .map(({ name }) => `docs/${name}`).filter((path) => path.endsWith(".md"));
  return ["README.md", ...guides.sort()];
}

export function textOf(page: string): string {
  return Deno.readTextFileSync(new URL(page, top));
}

/** All blocks of a page, in their order; of all pages by default. */
export function blocks(page?: string): Block[] {
  if (page === undefined) return pages().flatMap((one) => blocks(one));
  const text = textOf(page);
  return [...text.matchAll(/^( *)```(\w*)\n([^]*?)^\1```$/gm)].map(
    ({ 1: indent, 2: language, 3: body, index }) => ({
      page,
      line: text.slice(0, index).split("\n").length + 1,
      language: language!,
      text: body!.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
    }),
  );
}

/** Where a block is, for messages. */
export function placeOf({ page, line }: Block): string {
  return `${page}:${line}`;
}
