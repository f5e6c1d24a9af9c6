/**
 * The new commits of a revision.
 *
 * @module
 */
import { isAncestor } from "../git/ancestry.ts";
import { git } from "./trusted_keys.ts";
import { cutHistory, otherHistory, tooMany } from "./refusals.ts";
import type { Run } from "../run/run.ts";
import type { Fetched } from "../run/stages.ts";

/** More commits at once are not a change but another history. */
const mostCommits = 20_000;

/**
 * Refuses a revision that does not descend from the configured first trusted
 * commit.
 *
 * @throws {SyncError} `not-descended`
 */
export async function refuseOtherHistory(
  run: Run,
  { mirror, commit: { revision } }: Fetched,
): Promise<void> {
  const first = run.config["verify.firstTrusted"];
  if (first === undefined) return;
  if (await isAncestor(run, mirror, first, revision)) return;
  throw otherHistory(revision, first);
}

/**
 * Returns the commits that are no ancestors of a trusted one, oldest first,
 * with their parents.
 *
 * @throws {SyncError} `range-too-long`, `history-cut`
 */
export async function newCommits(
  run: Run,
  { mirror, commit: { revision } }: Fetched,
  trusted: readonly string[],
): Promise<Map<string, string[]>> {
  const output = await git(run, mirror, [
    "rev-list",
    "--topo-order",
    "--reverse",
    "--parents",
    `--max-count=${mostCommits + 1}`,
    revision,
    ...trusted.map((one) => `^${one}`),
  ]);
  const lines = new TextDecoder().decode(output).split("\n");
  const commits = new Map(
    lines.filter((line) => line !== "").map((line) => {
      const [commit, ...parents] = line.split(" ");
      return [commit!, parents];
    }),
  );
  if (commits.size > mostCommits) throw tooMany(revision, mostCommits);
  const cut = shallowCommits(mirror).find((commit) => commits.has(commit));
  if (cut !== undefined) throw cutHistory(cut);
  return commits;
}

/**
 * Returns the commits at which the history is cut: their parents are not in the
 * mirror.
 */
function shallowCommits(mirror: string): string[] {
  try {
    return Deno.readTextFileSync(`${mirror}/.git/shallow`).trim().split("\n");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
