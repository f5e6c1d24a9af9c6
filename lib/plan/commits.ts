/**
 * Lists the new commits of a revision.
 *
 * @module
 */
import { oneLine } from "../base/text.ts";
import { localGit } from "../git/git.ts";
import { has, must } from "../git/mirror.ts";
import type { Run } from "../run/run.ts";
import type { Fetched } from "../run/stages.ts";
import type { Commit } from "../state/state.ts";
import { tellSignatures, type Told } from "../trust/signed.ts";

/** A commit with what is known of its signature. */
export interface PlannedCommit extends Commit {
  signature: Told;
}

/** The commits between what was deployed and a revision. */
export interface Commits {
  /** The newest first, at most {@linkcode mostCommits}. */
  list: readonly PlannedCommit[];
  /** How many there are. */
  count: number;
  /** How many deployed commits the revision does not contain. */
  takenBack: number;
  /** The commit before them; none if nothing was deployed or it is unknown. */
  base?: string;
}

/** The limit of shown commits. */
export const mostCommits = 50;

/** Lists the new commits of a revision. */
export async function commitsOf(
  run: Run,
  fetched: Fetched,
  base: string | undefined,
): Promise<Commits> {
  const { mirror, commit } = fetched;
  const isThere = base !== undefined && await has(run, mirror, base);
  const since = isThere ? [`^${base}`] : [];
  const most = isThere ? mostCommits : 1;
  const found = await listCommits(
    run,
    mirror,
    [commit.revision, ...since],
    most,
  );
  const told = await tellSignatures(
    run,
    fetched,
    found.map(({ revision }) => revision),
  );
  const list = found.map((one, i) => ({ ...one, signature: told[i]! }));
  if (!isThere) return { list, count: list.length, takenBack: 0 };
  return {
    list,
    count: await countOf(run, mirror, [commit.revision, ...since]),
    takenBack: await countOf(run, mirror, [base, `^${commit.revision}`]),
    base,
  };
}

/** Reads commits of a repository (git-log(1), "PRETTY FORMATS"). */
async function listCommits(
  run: Run,
  folder: string,
  revisions: readonly string[],
  most: number,
): Promise<Commit[]> {
  const output = await must(run, logCommand(folder, revisions, most));
  return commitsIn(output);
}

/** The command whose output {@linkcode commitsIn} reads. */
export function logCommand(
  folder: string,
  revisions: readonly string[],
  most: number,
) {
  return localGit(folder, [
    "log",
    `--max-count=${most}`,
    "--no-show-signature",
    "--format=%H%x00%s%x00%an%x00%cI%x00",
    ...revisions,
    "--",
  ]);
}

/** Reads what {@linkcode logCommand} wrote. All texts are safe to show. */
export function commitsIn(output: string): Commit[] {
  const fields = output.split("\0");
  const commits: Commit[] = [];
  for (let at = 0; at + 3 < fields.length; at += 4) {
    const [revision, subject, author, committedAt] = fields.slice(at, at + 4);
    commits.push({
      revision: revision!.trim(),
      subject: oneLine(subject!, 200),
      author: oneLine(author!, 100),
      committedAt: oneLine(committedAt!, 40),
    });
  }
  return commits;
}

async function countOf(
  run: Run,
  mirror: string,
  revisions: readonly string[],
): Promise<number> {
  const command = localGit(mirror, [
    "rev-list",
    "--count",
    ...revisions,
    "--",
  ]);
  return Number((await must(run, command)).trim());
}
