/**
 * What was fetched last, trusted or not, as the mirror has it.
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

/** Bytes of a commit or tag; nobody writes a thousandth of it. */
const mostText = 16 * 2 ** 20;

/** The name in the mirror of what was fetched last, trusted or not. */
export const candidateName = "refs/gitops-sync/candidate";

/**
 * What a commit or tag says is read by us, and by many programs after us: one
 * of a gigabyte that was small on the way costs each of them as much.
 */
export async function mustBeShort(run: Run, mirror: string): Promise<void> {
  const names = [candidateName, `${candidateName}^{commit}`];
  const command = localGit(mirror, [
    "cat-file",
    "--batch-check=%(objecttype) %(objectsize)",
  ], { input: new TextEncoder().encode(names.join("\n") + "\n") });
  const finished = await run.effects.run(command);
  const output = new TextDecoder().decode(finished.stdout);
  // What was fetched is there, and there is a line for each name.
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
 * Reads the commit as people know it.
 *
 * @returns with it, its parents: none for one at which the mirror's history is
 * cut off.
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

/** A tag may name anything; a file or folder has no log. */
function noCommit(ref: string): SyncError {
  return new SyncError(`Cannot follow ${ref}: it does not point to a commit`, {
    stage: "fetch",
    reason: "not-a-commit",
    next: "retry",
    hints: [`move ${ref} to a commit, or set ref to another branch or tag`],
  });
}
