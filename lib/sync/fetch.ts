/**
 * Brings a revision into the mirror, `repo` in the state folder.
 *
 * The mirror has a `.git` folder but no files: Nix reads such a repository
 * where it is, whereas it would first clone a bare one into a cache of its own,
 * which fails for a shallow one ("shallow roots are not allowed to be updated",
 * Nix 2.8) and costs the space and time twice for any other.
 *
 * @module
 */
import { exists } from "@std/fs";
import { type Command, type Finished, say } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { oneLine } from "../base/text.ts";
import type { Commit, Target } from "../host/state.ts";
import {
  gitEnvironment,
  isRevision,
  lastWords,
  localGit,
  type Tip,
} from "../tools/git.ts";
import { remoteFailure } from "../tools/git_failure.ts";
import type { Run } from "./run.ts";
import { nameRemote } from "./submodules.ts";

/** A revision that is in the mirror, not yet trusted. */
export interface Fetched {
  readonly done: "fetched";
  readonly commit: Commit;
  readonly tip: Tip;
  readonly target: Target;
  /** The mirror's folder. */
  readonly mirror: string;
  /**
   * Whether the revision descends from the one deployed last by the same name;
   * `unknown` where there is none to compare with.
   */
  readonly forward: "yes" | "no" | "unknown";
}

/** The name in the mirror of what was fetched last, trusted or not. */
const candidateName = "refs/gitops-sync/candidate";

/**
 * Fetches what `tip` names.
 *
 * @throws {SyncError} `exit 3`; nothing older is used in its place.
 */
export async function fetchRevision(
  run: Run,
  tip: Tip,
  target: Target,
): Promise<Fetched> {
  const mirror = `${run.folder}/repo`;
  const isNew = !await exists(`${mirror}/.git/HEAD`);
  try {
    if (isNew) await makeMirror(run, mirror, tip);
    return await fetchInto(run, mirror, tip, target);
  } catch (error) {
    // A mirror that a crash has left damaged is worth nothing: it is made
    // again. A remote that does not answer is no reason to.
    const isDamaged = error instanceof SyncError &&
      error.reason === "git-failed";
    if (isNew || !isDamaged) throw error;
    say(run.effects, "notice", "The mirror is damaged; making it again");
    await Deno.remove(mirror, { recursive: true });
    await makeMirror(run, mirror, tip);
    return await fetchInto(run, mirror, tip, target);
  }
}

async function fetchInto(
  run: Run,
  mirror: string,
  tip: Tip,
  target: Target,
): Promise<Fetched> {
  if (run.config.submodules) await nameRemote(run, mirror);
  await bringIn(run, mirror, tip);
  const commit = await readCommit(run, mirror);
  const forward = await isForward(run, mirror, commit.revision, target);
  return { done: "fetched", commit, tip, target, mirror, forward };
}

async function makeMirror(run: Run, mirror: string, tip: Tip): Promise<void> {
  await must(run, {
    ...localGit(run.folder, [
      "init",
      "--quiet",
      "--template=",
      "--initial-branch=gitops-sync",
      // Both sides must name objects by the same hash.
      `--object-format=${tip.revision.length === 64 ? "sha256" : "sha1"}`,
      mirror,
    ]),
  });
}

/** Fetches the candidate, and what stands between it and the last good one. */
async function bringIn(run: Run, mirror: string, tip: Tip): Promise<void> {
  const { shallow, submodules } = run.config;
  const base = baseOf(run, tip);
  const since = !shallow || submodules
    ? "the beginning"
    : base === undefined
    ? "itself"
    : await sinceBase(run, mirror, base);
  await fetchTip(run, mirror, tip, since);
  if (since === "base" && await isCut(run, mirror, base!)) {
    await fetchTip(run, mirror, tip, "the beginning");
  }
}

/** How far back the history in the mirror must go. */
type Since = "itself" | "base" | "the beginning";

async function fetchTip(
  run: Run,
  mirror: string,
  tip: Tip,
  since: Since,
): Promise<void> {
  const depth: string[] = [];
  if (since === "itself") depth.push("--depth=1");
  if (since === "the beginning" && await isShallow(mirror)) {
    depth.push("--unshallow");
  }
  await fetch(run, mirror, [...depth, `+${tip.name}:${candidateName}`]);
}

const isShallow = (mirror: string) => exists(`${mirror}/.git/shallow`);

/**
 * Whether something between the base and the candidate has parents that the
 * mirror has not. So it is where a branch was merged that had begun before the
 * base: its history then goes on below the base, which the base itself, without
 * parents in a shallow mirror, does not know for its own.
 */
async function isCut(run: Run, mirror: string, base: string): Promise<boolean> {
  if (!await isShallow(mirror)) return false;
  const ends = await must(
    run,
    localGit(mirror, [
      "rev-list",
      "--max-count=1",
      "--max-parents=0",
      candidateName,
      `^${base}`,
      "--",
    ]),
  );
  return ends !== "";
}

/** The revision that the new one must descend from, if any. */
function baseOf(run: Run, tip: Tip): string | undefined {
  return tip.kind === "commit" ? undefined : run.state.lastGood?.revision;
}

/**
 * Sees to it that the mirror has the last good revision: it may have been lost
 * since. One that the remote has no longer has no descendants there; where it
 * does not say, only the whole history tells.
 */
async function sinceBase(
  run: Run,
  mirror: string,
  base: string,
): Promise<Since> {
  if (await has(run, mirror, base)) return "base";
  try {
    await fetch(run, mirror, ["--depth=1", base]);
    return "base";
  } catch (error) {
    const reason = error instanceof SyncError ? error.reason : undefined;
    if (reason === "revision-missing") return "itself";
    if (reason === "revision-hidden") return "the beginning";
    throw error;
  }
}

async function fetch(
  run: Run,
  mirror: string,
  args: readonly string[],
): Promise<void> {
  const { config } = run;
  const finished = await run.effects.run({
    program: "git",
    args: [
      "-C",
      mirror,
      "fetch",
      "--quiet",
      "--no-tags",
      "--no-write-fetch-head",
      "--no-recurse-submodules",
      ...args.filter((arg) => arg.startsWith("--")),
      "--",
      config.repository,
      ...args.filter((arg) => !arg.startsWith("--")),
    ],
    env: gitEnvironment(config, [["safe.directory", mirror]]),
    timeout: config["timeouts.fetch"],
  });
  if (finished.code !== 0) throw remoteFailure(finished, config, "fetch");
}

async function has(
  run: Run,
  mirror: string,
  revision: string,
): Promise<boolean> {
  const finished = await run.effects.run(
    localGit(mirror, ["cat-file", "-e", `${revision}^{commit}`]),
  );
  return finished.code === 0;
}

async function readCommit(run: Run, mirror: string): Promise<Commit> {
  const output = await must(
    run,
    localGit(mirror, [
      "log",
      "-1",
      "--no-show-signature",
      "--format=%H%x00%s%x00%an%x00%cI",
      candidateName,
      "--",
    ]),
  );
  const [revision = "", subject, author, committedAt] = output.trim()
    .split("\0");
  if (!isRevision(revision)) throw noCommit(run.config.ref);
  return {
    revision,
    subject: oneLine(subject ?? "", 200),
    author: oneLine(author ?? "", 100),
    committedAt: oneLine(committedAt ?? "", 40),
  };
}

/** A tag may name anything; a file or folder has no log. */
function noCommit(ref: string): SyncError {
  return new SyncError(`Cannot follow ${ref}: it names no commit`, {
    stage: "fetch",
    reason: "not-a-commit",
    next: "retry",
    hints: [`move ${ref} to a commit, or follow another name with ref`],
  });
}

async function isForward(
  run: Run,
  mirror: string,
  revision: string,
  target: Target,
): Promise<Fetched["forward"]> {
  const { lastGood } = run.state;
  // Another repository or ref is a person's choice in the configuration.
  const comparable = lastGood && lastGood.target.ref === target.ref &&
    lastGood.target.repository === target.repository;
  if (!comparable || isRevision(target.ref)) return "unknown";
  if (lastGood.revision === revision) return "yes";
  if (!await has(run, mirror, lastGood.revision)) return "no";
  const command = localGit(mirror, [
    "merge-base",
    "--is-ancestor",
    lastGood.revision,
    revision,
  ]);
  const finished = await run.effects.run(command);
  if (finished.code > 1) throw damaged(run, command, finished);
  return finished.code === 0 ? "yes" : "no";
}

/** Runs a local Git command that can only fail if the mirror is damaged. */
async function must(
  run: Run,
  command: Command,
): Promise<string> {
  const finished = await run.effects.run(command);
  if (finished.code !== 0) throw damaged(run, command, finished);
  return new TextDecoder().decode(finished.stdout);
}

function damaged(run: Run, command: Command, finished: Finished): SyncError {
  return new SyncError(
    `Cannot use the mirror in ${run.folder}/repo: git ${
      command.args[2]
    } failed`,
    {
      stage: "fetch",
      reason: "git-failed",
      next: "retry",
      details: lastWords(finished),
    },
  );
}
