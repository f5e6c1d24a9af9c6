/**
 * The commit that was fetched last, whether it is trusted or not.
 *
 * @module
 */
import { SyncError } from "../base/errors.ts";
import { isRevision } from "../base/names.ts";
import { formatSize } from "../base/size.ts";
import { oneLine } from "../base/text.ts";
import type { Run } from "../run/run.ts";
import type { Commit } from "../state/state.ts";
import { localGit } from "./git.ts";
import { damaged, must } from "./mirror.ts";

/**
 * The largest commit or tag object, in bytes. Real ones are a thousand times
 * smaller.
 */
const mostText = 16 * 2 ** 20;

/**
 * The ref in the mirror for the commit that was fetched last, trusted or not.
 */
export const candidateName = "refs/gitops-sync/candidate";

/**
 * Refuses a commit or tag object that is too large. This program and many
 * others read it: a gigabyte that was compressed for the transfer costs each of
 * them that much memory.
 */
export async function mustBeShort(run: Run, mirror: string): Promise<void> {
  const names = [candidateName, `${candidateName}^{commit}`];
  const command = localGit(mirror, [
    "cat-file",
    "--batch-check=%(objecttype) %(objectsize)",
  ], { input: new TextEncoder().encode(names.join("\n") + "\n") });
  const finished = await run.effects.run(command);
  const output = new TextDecoder().decode(finished.stdout);
  // The fetched objects exist, so there is a line for each name.
  const isAnswer = /^(?:commit|tag|tree|blob) \d+\n.+\n$/.test(output);
  if (finished.code !== 0 || !isAnswer) throw damaged(run, command, finished);
  for (const [, type, size] of output.matchAll(/^(commit|tag) (\d+)$/gm)) {
    if (Number(size) > mostText) throw tooLong(run, type!, Number(size));
  }
}

function tooLong({ config: { ref } }: Run, type: string, size: number) {
  return new SyncError(
    `Cannot follow ${ref}: its ${type} object has ${
      formatSize(size)
    }, and the limit is ${formatSize(mostText)}`,
    {
      stage: "fetch",
      reason: "too-large",
      next: "retry",
      hints: [`move ${ref} to a ${type} with a shorter message`],
    },
  );
}

/**
 * Reads what people know of the commit: revision, subject, author and time.
 *
 * @returns the commit and its parents. There are none if the mirror's history
 * is cut off there.
 */
export async function readCommit(
  run: Run,
  mirror: string,
): Promise<{ commit: Commit; parents: string[] }> {
  const output = await must(
    run,
    localGit(mirror, [
      "log",
      "-1",
      "--no-show-signature",
      "--format=%H%x00%P%x00%s%x00%an%x00%cI",
      candidateName,
      "--",
    ]),
  );
  const [revision = "", parents = "", subject, author, committedAt] = output
    .trim().split("\0");
  if (!isRevision(revision)) throw noCommit(run.config.ref);
  return {
    commit: {
      revision,
      subject: oneLine(subject ?? "", 200),
      author: oneLine(author ?? "", 100),
      committedAt: oneLine(committedAt ?? "", 40),
    },
    parents: parents.split(" ").filter((id) => id !== ""),
  };
}

/** A tag may point to anything; a file or folder has no log. */
function noCommit(ref: string): SyncError {
  return new SyncError(`Cannot follow ${ref}: it does not point to a commit`, {
    stage: "fetch",
    reason: "not-a-commit",
    next: "retry",
    hints: [`move ${ref} to a commit, or set ref to another branch or tag`],
  });
}
