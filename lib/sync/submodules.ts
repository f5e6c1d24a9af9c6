/**
 * What submodules need of the mirror, so that Nix finds them.
 *
 * @module
 */
import { SyncError } from "../base/errors.ts";
import { lastWords, localGit } from "../tools/git.ts";
import type { Run } from "./run.ts";

/**
 * Writes into the mirror where it came from: a submodule whose URL begins with
 * `./` or `../` is found from there (gitmodules(5)), and Nix looks it up so.
 *
 * @throws {SyncError} exit 3, if the mirror can't be written.
 */
export async function nameRemote(run: Run, mirror: string): Promise<void> {
  const { repository } = run.config;
  const finished = await run.effects.run(
    localGit(mirror, ["config", "remote.origin.url", repository]),
  );
  if (finished.code === 0) return;
  throw new SyncError(`Cannot write ${mirror}/.git/config`, {
    stage: "fetch",
    reason: "git-failed",
    next: "retry",
    details: lastWords(finished),
  });
}
