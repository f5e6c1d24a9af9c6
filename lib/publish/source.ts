/**
 * The published commit: the current commit of a checkout.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import { usageError } from "../base/errors.ts";
import { lastWords, oneLine } from "../base/text.ts";
import { localGit } from "../git/git.ts";
import { placeOf } from "../secrets/people/checkout.ts";

/** A commit of a checkout with a flake. */
export interface Source {
  /** The folder of the checkout, without symbolic links. */
  top: string;
  /** The flake's folder in it, or empty. */
  directory: string;
  revision: string;
  subject: string;
  /** Who made the change, and when, as Git writes it. */
  author: { name: string; email: string; date: string };
  /** Whether the checkout lacks a part of its history. */
  isShallow: boolean;
}

const separator = "\0";

/**
 * Reads the current commit of a checkout.
 *
 * @param folder The folder of the flake.
 * @throws {SyncError} exit 2: `no-checkout`, `no-commit`, and `not-committed`
 * if the checkout has uncommitted changes.
 */
export async function sourceAt(
  effects: Pick<Effects, "run">,
  folder: string,
): Promise<Source> {
  const { top, path: directory } = await placeOf(folder);
  const git = async (...args: string[]) => {
    const finished = await effects.run(localGit(top, args));
    if (finished.code !== 0) {
      throw usageError(
        "no-commit",
        `Cannot publish ${
          oneLine(top, 200)
        }: Git can't read its current commit`,
        ...lastWords(finished),
      );
    }
    return new TextDecoder().decode(finished.stdout).replace(/\n$/, "");
  };
  const format = ["%H", "%an", "%ae", "%ad", "%s"].join("%x00");
  const said = await git("log", "-1", "--date=raw", `--format=${format}`);
  const [revision, name, email, date, subject] = said.split(separator);
  const changed = await git("status", "--porcelain", "--untracked-files=no");
  if (changed !== "") throw notCommitted(top, changed);
  return {
    top,
    directory,
    revision: revision!,
    subject: subject!,
    author: { name: name!, email: email!, date: date! },
    isShallow: await git("rev-parse", "--is-shallow-repository") === "true",
  };
}

function notCommitted(top: string, changed: string) {
  const files = changed.split("\n").map((line) => line.slice(3));
  const more = files.length > 5 ? ` and ${files.length - 5} more` : "";
  return usageError(
    "not-committed",
    `Cannot publish ${
      oneLine(top, 200)
    }: it has uncommitted changes, which hosts would not get: ${
      oneLine(files.slice(0, 5).join(", "), 300)
    }${more}`,
    "commit them, or publish from a clean checkout: git worktree add",
  );
}
