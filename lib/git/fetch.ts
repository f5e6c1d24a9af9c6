/**
 * Fetches a revision into the mirror, which is `repo` in the state folder.
 *
 * The mirror has a `.git` folder but no files: Nix reads such a repository in
 * place. It would first clone a bare repository into its own cache. That fails
 * for a shallow one ("shallow roots are not allowed to be updated", Nix 2.8),
 * and costs the space and time twice for any other.
 *
 * @module
 */
import { say } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { short } from "../base/text.ts";
import { isPattern } from "../config/tag_pattern.ts";
import type { Commit, Target } from "../state/state.ts";
import { candidateName, mustBeShort, readCommit } from "./candidate.ts";
import { between, isForward, isHead } from "./history.ts";
import { askRemote } from "./remote.ts";
import {
  collectGarbage,
  dropLocks,
  has,
  isDamaged,
  isShallow,
  isThere,
  keepWhole,
  makeMirror,
  mustBeWhole,
  readyMirror,
  removeIfThere,
} from "./mirror.ts";
import { followedOf, newestOf } from "../run/followed.ts";
import type { Run } from "../run/run.ts";
import { asGone, useSoaked } from "./soaked.ts";
import { dropUnchecked, fetch } from "./transfer.ts";
import { Fetched } from "../run/stages.ts";
import type { Tip } from "../base/tip.ts";

export { candidateName };

/**
 * Fetches what `tip` names.
 *
 * @throws {SyncError} exit 3. An older revision is never used instead.
 */
export async function fetchRevision(
  run: Run,
  tip: Tip,
  target: Target,
): Promise<Fetched> {
  const mirror = `${run.folder}/repo`;
  await dropUnchecked(run, mirror);
  await dropLocks(mirror);
  const isNew = !await isThere(run, mirror);
  try {
    if (isNew) await makeMirror(run, mirror, tip);
    return await fetchInto(run, mirror, tip, target);
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    if (!isNew && await isMirrorFault(run, mirror, error)) {
      say(run.effects, "notice", "The mirror is damaged; creating a new one");
      await Deno.remove(mirror, { recursive: true });
      await makeMirror(run, mirror, tip);
      return await fetchInto(run, mirror, tip, target);
    }
    if (!await isShallowFault(run, mirror, error)) throw error;
    return await fetchWhole(run, mirror, tip, target);
  }
}

/**
 * Whether a fetch failed because the mirror is damaged, for example after a
 * crash. A failure of the remote is no reason to remove the mirror. If Git's
 * message does not tell which of the two it was, Git checks the mirror.
 */
async function isMirrorFault(
  run: Run,
  mirror: string,
  { reason, details }: SyncError,
): Promise<boolean> {
  if (reason === "mirror-damaged") return true;
  if (!["git-failed", "garbled"].includes(reason)) return false;
  return details.some((line) => mirrorFaults.test(line)) ||
    await isDamaged(run, mirror);
}

/**
 * Git's messages about the mirror itself: it can't be written to, or its hashes
 * are of another kind than those of the repository.
 */
const mirrorFaults =
  /^(?:fatal|error): (?:mismatched (?:algorithms|object format)|(?:could not|cannot|Unable to) (?:create|lock) )/;

/**
 * Whether the fetch may have failed because it asked for a part of the history.
 */
async function isShallowFault(
  run: Run,
  mirror: string,
  { reason, details }: SyncError,
): Promise<boolean> {
  if (!await mayBeShallow(run, mirror)) return false;
  // Some rare servers answer a second shallow fetch in this way.
  return reason === "no-shallow" ||
    details.some((line) => /returned error: 500\b/.test(line));
}

/**
 * Fetches the whole history into a new mirror, which then replaces the old one.
 */
async function fetchWhole(
  run: Run,
  mirror: string,
  tip: Tip,
  target: Target,
): Promise<Fetched> {
  const whole = `${mirror}.whole`;
  await removeIfThere(whole);
  await makeMirror(run, whole, tip);
  await keepWhole(whole);
  const fetched = await fetchInto(run, whole, tip, target);
  await removeIfThere(mirror);
  await Deno.rename(whole, mirror);
  say(
    run.effects,
    "notice",
    "The server only gives whole histories, so all of the history was fetched",
    ["set shallow: false to fetch all of it from the start"],
  );
  return { ...fetched, mirror };
}

async function fetchInto(
  run: Run,
  mirror: string,
  tip: Tip,
  target: Target,
): Promise<Fetched> {
  await readyMirror(run, mirror);
  // For a pattern of tags, the version decides what is forward.
  const base = isPattern(target.ref)
    ? undefined
    : tip.base ?? followedOf(run.state, target)?.revision;
  const { commit, forward: known } = tip.newest === undefined
    ? await fetchCandidate(run, mirror, tip, base)
    : await fetchSoaked(run, mirror, tip, base);
  await fetchKeys(run, mirror);
  await collectGarbage(run, mirror);
  if (commit.revision !== tip.revision) {
    await mustHaveMoved(run, tip, commit, target);
  }
  const forward = base === commit.revision
    ? "yes"
    : known ?? await isForward(run, mirror, commit.revision, base);
  return { done: "fetched", commit, tip, target, mirror, forward };
}

/**
 * Fetches the candidate, and the history between it and the last good revision.
 *
 * @returns whether it moves forward, if the fetch has shown that.
 */
async function fetchCandidate(
  run: Run,
  mirror: string,
  tip: Tip,
  base: string | undefined,
): Promise<{ commit: Commit; forward?: Fetched["forward"] }> {
  const since = !await mayBeShallow(run, mirror)
    ? "the beginning"
    : base === undefined
    // The revision that it pointed to before is an ancestor of it.
    ? tip.newest === undefined || tip.kind === "tag"
      ? "itself"
      : "the beginning"
    : await sinceBase(run, mirror, base);
  let { commit, parents } = await fetchTip(run, mirror, tip, since);
  if (since === "base") {
    const { isCut, isForward } = await between(run, mirror, base!, parents);
    // If the list does not contain the base, Git must confirm that in another
    // way.
    if (!isCut || !await isShallow(mirror)) {
      return { commit, ...isForward ? { forward: "yes" } : {} };
    }
    ({ commit, parents } = await fetchTip(run, mirror, tip, "the beginning"));
  }
  // A whole history contains the base, unless the ref was moved. Then the base
  // shows how.
  if (since === "the beginning" && base && !await has(run, mirror, base)) {
    await fetchIfThere(run, mirror, [base]);
  }
  return { commit };
}

/** Does the same for the revision that the name pointed to before. */
async function fetchSoaked(
  run: Run,
  mirror: string,
  tip: Tip,
  base: string | undefined,
): ReturnType<typeof fetchCandidate> {
  try {
    const { commit } = await fetchCandidate(run, mirror, tip, base);
    return { commit: await useSoaked(run, mirror, tip, commit) };
  } catch (error) {
    throw asGone(run, tip, error);
  }
}

/**
 * Fetches the revision whose keys are trusted, if the mirror was lost and
 * nothing else needs that revision (after a change of the ref).
 */
async function fetchKeys(run: Run, mirror: string): Promise<void> {
  const { config, state } = run;
  const newest = newestOf(state, config.repository);
  if (config["verify.keysFrom"] === "" || newest === undefined) return;
  if (await has(run, mirror, newest)) return;
  const depth = await isShallow(mirror) ? ["--depth=1"] : [];
  await fetchIfThere(run, mirror, [...depth, newest]);
}

/**
 * Whether a shallow history is enough. Mode `range` needs every commit: commits
 * beyond the cut would come in without a check of their signatures.
 */
async function mayBeShallow({ config }: Run, mirror: string): Promise<boolean> {
  return config.shallow && !config.submodules &&
    config["verify.mode"] !== "range" && !await mustBeWhole(mirror);
}

async function fetchIfThere(
  run: Run,
  mirror: string,
  args: readonly string[],
): Promise<void> {
  try {
    await fetch(run, mirror, args);
  } catch (error) {
    const reason = error instanceof SyncError ? error.reason : "";
    if (!["revision-missing", "revision-hidden"].includes(reason)) throw error;
  }
}

/** How far back the history in the mirror must go. */
type Since = "itself" | "base" | "the beginning";

/** Fetches the candidate, and reads it. */
async function fetchTip(
  run: Run,
  mirror: string,
  tip: Tip,
  since: Since,
): ReturnType<typeof readCommit> {
  const depth: string[] = [];
  if (since === "itself") depth.push("--depth=1");
  if (since === "the beginning" && await isShallow(mirror)) {
    depth.push("--unshallow");
  }
  await fetch(run, mirror, [...depth, `+${tip.name}:${candidateName}`]);
  await mustBeShort(run, mirror);
  return await readCommit(run, mirror);
}

/**
 * Ensures that the mirror has the newest deployed revision, which may have been
 * lost since. If the remote no longer has it, it has no descendants there
 * either. If the remote does not tell, only the whole history shows that.
 */
async function sinceBase(
  run: Run,
  mirror: string,
  base: string,
): Promise<Since> {
  if (isHead(mirror, base) || await has(run, mirror, base)) return "base";
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

/**
 * Git skips some updates silently, and then the ref in the mirror has an older
 * revision. So the fetched revision must be the current one of the remote.
 */
async function mustHaveMoved(
  run: Run,
  tip: Tip,
  { revision }: Commit,
  target: Target,
): Promise<void> {
  const before = followedOf(run.state, target);
  const { tip: followed } = await askRemote(run.effects, run.remote, before);
  const now = tip.base === undefined ? followed : followed?.testing;
  if (now?.revision === revision) return;
  const names = short(now?.revision ?? tip.revision);
  throw new SyncError(
    `Cannot fetch ${
      tip.base ? tip.name : run.config.ref
    }: the remote reports that it is at ${names}, but sent ${short(revision)}`,
    {
      stage: "fetch",
      reason: "not-current",
      next: "retry",
      hints: [
        "wait for a later run if people push all the time; if it fails again, check whether a mirror or cache of the server is behind",
      ],
    },
  );
}
