/**
 * Prepares the files of a revision that is not a flake.
 *
 * @module
 */
import { ensureDir } from "@std/fs";
import type { Finished } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { isStorePath } from "../base/names.ts";
import { lastWords, short } from "../base/text.ts";
import type { Run } from "../run/run.ts";
import type { Evaluator } from "./isolated.ts";
import { type BuildRequest, sourceCommand } from "./nixos_rebuild.ts";
import { addRoot } from "./store.ts";

/**
 * Copies the files of the revision to the store. They are built from there, so
 * exactly the verified files are built, however `build.file` is written.
 *
 * @returns what to build, or how Nix failed to copy them.
 * @throws {SyncError} stage `build`, if they cannot be protected from garbage
 * collection.
 */
export async function sourceOf(
  run: Run,
  evaluator: Evaluator,
  request: BuildRequest,
): Promise<{ request: BuildRequest } | { failed: Finished }> {
  const ended = await evaluator.run(sourceCommand(request));
  if (ended.code !== 0 || ended.timedOut) return { failed: ended };
  const tree = treeIn(new TextDecoder().decode(ended.stdout));
  if (tree === undefined) throw noTree(request.revision, ended);
  // Protects it from garbage collection during the build.
  await ensureDir(`${run.folder}/build`);
  const kept = await run.effects.run(
    addRoot(`${run.folder}/build/source`, tree),
  );
  if (kept.code !== 0) throw noTree(request.revision, kept);
  const { config } = run;
  const file = [tree, config.directory, config["build.file"]]
    .filter((part) => part !== "").join("/");
  const attribute = config["build.attribute"]
    .replaceAll("{host}", config.host);
  return { request: { ...request, source: { file, attribute } } };
}

/** Returns the store path in the answer of `nix flake prefetch --json`. */
function treeIn(answer: string): string | undefined {
  try {
    const { storePath } = JSON.parse(answer.trim());
    return isStorePath(storePath) ? storePath : undefined;
  } catch {
    return undefined;
  }
}

function noTree(revision: string, ended: Finished): SyncError {
  return new SyncError(
    `Cannot build ${short(revision)}: Nix did not copy its files to the store`,
    {
      stage: "build",
      reason: "source-lost",
      next: "retry",
      details: lastWords(ended),
      hints: [
        "Check the Nix daemon if this comes again: `systemctl status nix-daemon`. The next run tries again.",
      ],
    },
  );
}
