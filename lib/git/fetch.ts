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
import { backTo, orGone } from "./soaked.ts";
import { dropUnchecked, fetch } from "./transfer.ts";
import { Fetched } from "../run/stages.ts";
import type { Tip } from "../base/tip.ts";

export { candidateName };

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
  await dropUnchecked(run, mirror);
  await dropLocks(mirror);
  const isNew = !await isThere(run, mirror);
  try {
    if (isNew) await makeMirror(run, mirror, tip);
    return await fetchInto(run, mirror, tip, target);
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    if (!isNew && await isOfMirror(run, mirror, error)) {
      say(run.effects, "notice", "The mirror is damaged; creating a new one");
      await Deno.remove(mirror, { recursive: true });
      await makeMirror(run, mirror, tip);
      return await fetchInto(run, mirror, tip, target);
    }
    if (!await isOfShallow(run, mirror, error)) throw error;
    return await fetchWhole(run, mirror, tip, target);
  }
}

/**
 * Whether a fetch failed because a crash has left the mirror damaged: it is
 * worth nothing then. A remote that fails is no reason to throw it away, so Git
 * is asked to look where its words do not say which of the two it was.
 */
async function isOfMirror(
  run: Run,
  mirror: string,
  { reason, details }: SyncError,
): Promise<boolean> {
  if (reason === "mirror-damaged") return true;
  if (!["git-failed", "garbled"].includes(reason)) return false;
  return details.some((line) => ofMirror.test(line)) ||
    await isDamaged(run, mirror);
}

/**
 * What Git says of the mirror itself: it can't write to it, or has hashes of
 * another kind than the repository has now.
 */
const ofMirror =
  /^(?:fatal|error): (?:mismatched (?:algorithms|object format)|(?:could not|cannot|Unable to) (?:create|lock) )/;

/** Whether it may be the wish for a part of the history that went wrong. */
async function isOfShallow(
  run: Run,
  mirror: string,
  { reason, details }: SyncError,
): Promise<boolean> {
  if (!await mayBeShallow(run, mirror)) return false;
  // Servers of less usual make answer so to a second shallow fetch.
  return reason === "no-shallow" ||
    details.some((line) => /returned error: 500\b/.test(line));
}

/** Fetches the whole history, beside the mirror until it is there. */
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
  // Of tags of a pattern, the version says what is forward.
  const base = isPattern(target.ref)
    ? undefined
    : tip.base ?? followedOf(run.state, target)?.revision;
  const { commit, forward: known } = tip.newest === undefined
    ? await bringIn(run, mirror, tip, base)
    : await bringSoaked(run, mirror, tip, base);
  await bringKeys(run, mirror);
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
 * Fetches the candidate, and what stands between it and the last good one.
 *
 * @returns whether it moves forward, where that was seen on the way.
 */
async function bringIn(
  run: Run,
  mirror: string,
  tip: Tip,
  base: string | undefined,
): Promise<{ commit: Commit; forward?: Fetched["forward"] }> {
  const since = !await mayBeShallow(run, mirror)
    ? "the beginning"
    : base === undefined
    // What it named before is behind it.
    ? tip.newest === undefined || tip.kind === "tag"
      ? "itself"
      : "the beginning"
    : await sinceBase(run, mirror, base);
  let { commit, parents } = await fetchTip(run, mirror, tip, since);
  if (since === "base") {
    const { isCut, isForward } = await between(run, mirror, base!, parents);
    // A list without it may be no list: Git is then asked in another way.
    if (!isCut || !await isShallow(mirror)) {
      return { commit, ...isForward ? { forward: "yes" } : {} };
    }
    ({ commit, parents } = await fetchTip(run, mirror, tip, "the beginning"));
  }
  // A whole history has it, unless the ref was moved: then it tells how.
  if (since === "the beginning" && base && !await has(run, mirror, base)) {
    await fetchIfThere(run, mirror, [base]);
  }
  return { commit };
}

/** The same for what the name pointed to before. */
async function bringSoaked(
  run: Run,
  mirror: string,
  tip: Tip,
  base: string | undefined,
): ReturnType<typeof bringIn> {
  try {
    const { commit } = await bringIn(run, mirror, tip, base);
    return { commit: await backTo(run, mirror, tip, commit) };
  } catch (error) {
    throw orGone(run, tip, error);
  }
}

/**
 * Fetches the revision whose keys count, where the mirror was lost and nothing
 * else needs it: after a change of the ref.
 */
async function bringKeys(run: Run, mirror: string): Promise<void> {
  const { config, state } = run;
  const newest = newestOf(state, config.repository);
  if (config["verify.keysFrom"] === "" || newest === undefined) return;
  if (await has(run, mirror, newest)) return;
  const depth = await isShallow(mirror) ? ["--depth=1"] : [];
  await fetchIfThere(run, mirror, [...depth, newest]);
}

/**
 * A signature of every commit needs every commit: where a history is cut, what
 * is behind the cut would come in unseen.
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
 * Sees to it that the mirror has the newest revision that was deployed: it may
 * have been lost since. One that the remote has no longer has no descendants
 * there; where it does not say, only the whole history tells.
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
 * Git leaves some updates out without a word, and then the name in the mirror
 * is an older revision: what came must be what the remote names by now.
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
