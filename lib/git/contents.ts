/**
 * Reads the contents of many objects with one process.
 *
 * @module
 */
import type { Command, Finished } from "../base/effects.ts";
import { localGit } from "./git.ts";

/** Returns the command that writes these objects to its output. */
export function contentsCommand(
  mirror: string,
  ids: readonly string[],
  options: Partial<Command> = {},
): Command {
  const input = new TextEncoder().encode(ids.map((id) => `${id}\n`).join(""));
  return localGit(mirror, ["cat-file", "--batch"], { ...options, input });
}

/**
 * Reads what that command wrote (git-cat-file(1), "BATCH OUTPUT").
 *
 * @returns the contents in the order of the ids; `undefined` for a missing
 * object.
 */
export function contentsIn(
  { stdout }: Pick<Finished, "stdout">,
): (Uint8Array | undefined)[] {
  const contents: (Uint8Array | undefined)[] = [];
  for (let at = 0; at < stdout.length;) {
    const end = stdout.indexOf(0x0a, at);
    const head = new TextDecoder().decode(stdout.subarray(at, end)).split(" ");
    at = end + 1;
    const size = Number(head.at(-1));
    if (!Number.isInteger(size)) {
      contents.push(undefined);
      continue;
    }
    contents.push(stdout.subarray(at, at + size));
    at += size + 1;
  }
  return contents;
}
