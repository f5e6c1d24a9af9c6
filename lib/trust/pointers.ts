/**
 * Placeholders in a tree: for Nix, a submodule that is not fetched is an empty
 * folder, and a Git LFS file is a few lines.
 *
 * @module
 */
import { say } from "../base/effects.ts";
import { count, oneLine } from "../base/text.ts";
import { localGit } from "../git/git.ts";
import { damaged } from "../git/mirror.ts";
import type { Run } from "../run/run.ts";

/**
 * The size of a Git LFS pointer in bytes: three lines, with a size of any
 * length.
 */
const [leastPointer, mostPointer] = [120, 200];

/** At most so many files of that size are read. */
const mostLooked = 2_000;

/** The entries of a tree that may be pointers. */
export class Pointers {
  readonly #submodules: string[] = [];
  readonly #small: string[] = [];
  #hasAttributes = false;

  /**
   * Adds one entry of the tree.
   *
   * @param size Its size in bytes; `undefined` for a submodule.
   * @param path Its path, decoded only if needed.
   */
  add(size: number | undefined, path: Uint8Array): void {
    if (size === undefined) {
      if (this.#submodules.length < mostLooked) {
        this.#submodules.push(decode(path));
      }
      return;
    }
    this.#hasAttributes ||= endsIn(path, ".gitattributes");
    const mayBe = size >= leastPointer && size <= mostPointer;
    if (mayBe && this.#small.length < mostLooked) {
      this.#small.push(decode(path));
    }
  }

  /** Warns of placeholders that Nix will see instead of the content. */
  async warn(run: Run, mirror: string, revision: string): Promise<void> {
    if (!run.config.submodules) this.#warnOfSubmodules(run);
    // Git LFS only stores files elsewhere if attributes say so.
    if (!this.#hasAttributes || this.#small.length === 0) return;
    const found = await pointersAmong(run, mirror, revision, this.#small);
    if (found.length === 0) return;
    say(
      run.effects,
      "warning",
      `${count(found.length, "file")} of Git LFS ${
        found.length === 1 ? "is" : "are"
      } only a pointer here, without the content: ${named(found)}`,
      ["let the flake fetch such files, or keep them in Git itself"],
    );
  }

  #warnOfSubmodules(run: Run): void {
    const all = this.#submodules;
    if (all.length === 0) return;
    say(
      run.effects,
      "warning",
      `${count(all.length, "submodule")} ${
        all.length === 1 ? "is" : "are"
      } an empty folder here: ${named(all)}`,
      ["set submodules: true if the flake needs them"],
    );
  }
}

const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function endsIn(path: Uint8Array, name: string): boolean {
  return path.length >= name.length &&
    decode(path.subarray(path.length - name.length)) === name;
}

function named(paths: readonly string[]): string {
  const shown = paths.slice(0, 5).map((path) => oneLine(path, 80)).join(", ");
  return paths.length > 5 ? `${shown} and ${paths.length - 5} more` : shown;
}

async function pointersAmong(
  run: Run,
  mirror: string,
  revision: string,
  paths: readonly string[],
): Promise<string[]> {
  const asked = paths.filter((path) => !path.includes("\n"));
  const names = asked.map((path) => `${revision}:${path}\n`).join("");
  const command = localGit(mirror, ["cat-file", "--batch"], {
    input: new TextEncoder().encode(names),
  });
  const finished = await run.effects.run(command);
  if (finished.code !== 0) throw damaged(run, command, finished);
  const text = new TextDecoder("latin1").decode(finished.stdout);
  const found: string[] = [];
  let at = 0;
  for (const path of asked) {
    const end = text.indexOf("\n", at);
    const size = Number(/ blob (\d+)$/.exec(text.slice(at, end))?.[1]);
    if (end === -1 || !Number.isInteger(size)) break;
    if (text.startsWith("version https://git-lfs.github.com/spec/", end + 1)) {
      found.push(path);
    }
    at = end + 1 + size + 1;
  }
  return found;
}
