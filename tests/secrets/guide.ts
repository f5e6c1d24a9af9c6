/**
 * The blocks of code in docs/secrets.md, for the tests that run them.
 *
 * @module
 */

import { type Block, blocks as blocksOf } from "../docs/blocks.ts";

/** One block of the guide. */
export interface GuideBlock extends Block {
  /** The file that it is, if its first line says so. */
  path: string | undefined;
}

/** All blocks of the guide, in their order. */
export function blocks(): GuideBlock[] {
  return blocksOf("docs/secrets.md").map((block) => ({
    ...block,
    path: /^# ([\w./]+)\n/.exec(block.text)?.[1],
  }));
}

/** The lines for a host with systemd, which the others are not run on. */
export function systemdLines(): string[] {
  return blocks().filter(({ language }) => language === "sh")
    .flatMap(({ text }) => text.split("\n"))
    .filter((line) => /^(systemctl|journalctl) /.test(line));
}
