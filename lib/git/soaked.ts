/**
 * A revision that a ref pointed to before. It is only used as long as the ref
 * still contains it.
 *
 * @module
 */
import { exitCodes, SyncError } from "../base/errors.ts";
import { short } from "../base/text.ts";
import type { Tip } from "../base/tip.ts";
import type { Run } from "../run/run.ts";
import { goneReason } from "../run/soak.ts";
import type { Commit } from "../state/state.ts";
import { isAncestor } from "./ancestry.ts";
import { candidateName, mustBeShort, readCommit } from "./candidate.ts";
import { localGit } from "./git.ts";
import { must } from "./mirror.ts";

/**
 * Makes the revision that has soaked the candidate, instead of the fetched one.
 * The current tip of a branch must descend from it, and a tag must still point
 * to it.
 *
 * @param fetched The commit that the ref points to now.
 * @throws {SyncError} `soaked-gone`, exit 0.
 */
export async function useSoaked(
  run: Run,
  mirror: string,
  tip: Tip,
  fetched: Commit,
): Promise<Commit> {
  if (fetched.revision === tip.revision) return fetched;
  const isBehind = tip.kind === "branch" &&
    await isAncestor(run, mirror, tip.revision, fetched.revision);
  if (!isBehind) throw goneError(run, tip);
  await must(
    run,
    localGit(mirror, [
      "update-ref",
      "--no-deref",
      candidateName,
      tip.revision,
    ]),
  );
  await mustBeShort(run, mirror);
  return (await readCommit(run, mirror)).commit;
}

/** A removed tag is no failure of the remote. */
export function asGone(run: Run, tip: Tip, error: unknown): unknown {
  const isGone = tip.newest !== undefined && error instanceof SyncError &&
    error.reason === "revision-missing";
  return isGone ? goneError(run, tip) : error;
}

function goneError({ config: { ref } }: Run, { revision }: Tip): SyncError {
  return new SyncError(
    `${ref} no longer has ${
      short(revision)
    }, so that commit is not deployed after its soak time`,
    {
      stage: "fetch",
      reason: goneReason,
      next: "stop",
      exit: exitCodes.ok,
    },
  );
}
