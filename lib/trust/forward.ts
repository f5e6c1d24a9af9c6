/**
 * Where a ref may move by itself: forward. Whatever else it does, a person has
 * to allow, once for each time.
 *
 * @module
 */
import { say } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { short } from "../base/text.ts";
import { localGit } from "../git/git.ts";
import { exists } from "@std/fs";
import { followedOf, moved } from "../run/followed.ts";
import type { Run } from "../run/run.ts";
import type { Fetched } from "../run/stages.ts";

/** A move that is not forward. */
interface Move {
  reason: "not-forward" | "repository-replaced" | "tag-moved";
  says: string;
}

/**
 * Refuses a ref that was moved back, aside, or to another repository, and a
 * tag that was moved at all where signatures are asked for.
 *
 * @throws {SyncError} exit 4, unless it is allowed by `allowForcePush` or was
 * allowed for this revision with `accept`.
 */
export async function checkMove(run: Run, fetched: Fetched): Promise<void> {
  const move = await moveOf(run, fetched);
  if (!move) return;
  const { commit: { revision } } = fetched;
  const allowed = run.config.allowForcePush
    ? "allowForcePush"
    : run.state.accepted?.some((one) => one.revision === revision)
    ? "gitops-sync accept"
    : undefined;
  if (allowed) {
    return say(run.effects, "warning", `${move.says} (allowed by ${allowed})`);
  }
  throw new SyncError(move.says, {
    stage: "verify",
    reason: move.reason,
    next: "hold",
    hints: [
      `if this was meant, allow it once: gitops-sync accept ${revision}`,
      "if not, find out who moved it before this host follows it",
    ],
  });
}

async function moveOf(
  run: Run,
  fetched: Fetched,
): Promise<Move | undefined> {
  const { forward, commit, tip, target } = fetched;
  const before = followedOf(run.state, target);
  if (!before || forward === "unknown") return undefined;
  const { revision, kind = tip.kind } = before;
  const to = short(commit.revision);
  const what = `${moved(target.ref, kind, tip.kind)} to ${to}`;
  if (forward === "no") return await backward(run, fetched, revision, what);
  // A name that is one no longer, or only now, is no way around that.
  const isTag = tip.kind === "tag" || kind === "tag";
  const isSame = commit.revision === revision;
  if (!isTag || isSame || run.config["verify.mode"] === "none") return;
  const from = short(revision);
  return {
    reason: "tag-moved",
    says: `${what}, and was ${from} when it was deployed last`,
  };
}

/** Tells an older commit, another branch and another repository apart. */
async function backward(
  run: Run,
  { mirror, commit: { revision } }: Fetched,
  from: string,
  what: string,
): Promise<Move> {
  const git = (...args: string[]) => run.effects.run(localGit(mirror, args));
  const older = await git("merge-base", "--is-ancestor", revision, from);
  if (older.code === 0) {
    return {
      reason: "not-forward",
      says: `${what}, which is older than ${
        short(from)
      }, the newest deployed from it`,
    };
  }
  // Only a whole history can tell that there is nothing in common.
  const isWhole = !await exists(`${mirror}/.git/shallow`);
  const common = await git("merge-base", from, revision);
  if (isWhole && common.code === 1) {
    return {
      reason: "repository-replaced",
      says: `${what}, which does not descend from ${
        short(from)
      }, the newest deployed from it, and has no commit in common with it: rewritten from its beginning, or another repository`,
    };
  }
  return {
    reason: "not-forward",
    says: `${what}, which does not descend from ${
      short(from)
    }, the newest deployed from it`,
  };
}
