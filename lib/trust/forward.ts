/**
 * Moves of refs. A ref may only move forward by itself; a person must allow
 * every other move.
 *
 * @module
 */
import { say } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { oneLine, short } from "../base/text.ts";
import { isPattern } from "../config/tag_pattern.ts";
import { commonOf, isAncestor } from "../git/ancestry.ts";
import { has } from "../git/mirror.ts";
import { compareTags } from "../git/sources.ts";
import { signedDigest } from "../git/signed_part.ts";
import { exists } from "@std/fs";
import { followedOf, moved } from "../run/followed.ts";
import type { Run } from "../run/run.ts";
import { isSame, type Known } from "../run/same.ts";
import type { Fetched } from "../run/stages.ts";
import { contentsOf } from "./trusted_keys.ts";
import { descendsFromTwin } from "./twins.ts";

/** A move that is not forward. */
interface Move {
  reason: "not-forward" | "repository-replaced" | "tag-moved";
  says: string;
}

/**
 * Refuses a ref that was moved back, aside, or to another repository, and any
 * moved tag if signatures are required.
 *
 * @returns whether it is forward; if signatures are required, the signed
 * content decides that.
 * @throws {SyncError} exit 4, unless `allowForcePush` allows it, or a person
 * allowed this commit with `accept`.
 */
export async function checkMove(
  run: Run,
  fetched: Fetched,
): Promise<Fetched["forward"]> {
  const before = await beforeOf(run, fetched);
  const forward = await forwardOf(run, fetched, before);
  const move = await moveOf(run, { ...fetched, forward }, before);
  if (!move) return forward;
  const { commit: { revision } } = fetched;
  const allowed = run.config.allowForcePush
    ? "allowForcePush"
    : await isAccepted(run, fetched)
    ? "gitops-sync accept"
    : undefined;
  if (allowed) {
    say(run.effects, "warning", `${move.says} (allowed by ${allowed})`);
    return forward;
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

/**
 * Whether a person has accepted this commit or an ancestor of it, for this ref.
 * The journal then records which one.
 */
async function isAccepted(
  run: Run,
  { commit, mirror, target: { repository, ref } }: Fetched,
): Promise<boolean> {
  const now = run.effects.now().getTime();
  for (const one of run.state.accepted ?? []) {
    const isHere = one.repository === repository && one.ref === ref;
    if (!isHere || !(Date.parse(one.until ?? "") > now)) continue;
    if (isSame(one, commit) || await isBehind(run, mirror, one, commit)) {
      await run.note({ accepted: one.revision });
      return true;
    }
  }
  return false;
}

function isBehind(
  run: Run,
  mirror: string,
  { revision }: Known,
  commit: Known,
): Promise<boolean> {
  return isAncestor(run, mirror, revision, commit.revision);
}

/** The revision that was deployed last from a ref. */
type Before = NonNullable<ReturnType<typeof followedOf>>;

/**
 * Returns the deployed revision with its digest. An older program, or a run
 * without signatures, did not store the digest.
 */
async function beforeOf(
  run: Run,
  { commit, mirror, target }: Fetched,
): Promise<Before | undefined> {
  const before = followedOf(run.state, target);
  if (!before || before.digest || isSame(before, commit)) return before;
  const isHere = commit.digest && await has(run, mirror, before.revision);
  if (!isHere) return before;
  const [content] = await contentsOf(run, mirror, [before.revision]);
  return { ...before, digest: await signedDigest(content!) };
}

/**
 * Returns whether the revision is forward: by Git's answer, or as the same
 * commit under another hash.
 */
async function forwardOf(
  run: Run,
  fetched: Fetched,
  before: Before | undefined,
): Promise<Fetched["forward"]> {
  const { forward, commit, tip, target: { ref } } = fetched;
  if (before && isPattern(ref)) {
    return compareTags(ref, tip.name, before.name) > 0 ||
        isSame(before, commit)
      ? "yes"
      : "no";
  }
  if (forward !== "no" || !before || commit.digest === undefined) {
    return forward;
  }
  if (isSame(before, commit)) return "yes";
  return await descendsFromTwin(run, fetched, before) ? "yes" : "no";
}

async function moveOf(
  run: Run,
  fetched: Fetched,
  before: Before | undefined,
): Promise<Move | undefined> {
  const { forward, commit, tip, target } = fetched;
  if (!before) return undefined;
  if (isPattern(target.ref)) return lowerVersion(fetched, before);
  if (forward === "unknown") return undefined;
  const { revision, kind = tip.kind } = before;
  const to = short(commit.revision);
  const what = `${moved(target.ref, kind, tip.kind)} to ${to}`;
  if (forward === "no") return await backward(run, fetched, revision, what);
  // A tag that became a branch, or a branch that became a tag, is checked too.
  const isTag = tip.kind === "tag" || kind === "tag";
  if (
    !isTag || isSame(before, commit) || run.config["verify.mode"] === "none"
  ) {
    return undefined;
  }
  const from = short(revision);
  return {
    reason: "tag-moved",
    says: `${what}, but was at ${from} when it was deployed`,
  };
}

/** For tags of a pattern, only a higher version is forward. */
function lowerVersion(
  { commit, tip, target: { ref } }: Fetched,
  before: Before,
): Move | undefined {
  if (isSame(before, commit)) return undefined;
  if (compareTags(ref, tip.name, before.name) > 0) return undefined;
  const [from, to] = [before.name ?? "", tip.name].map((name) =>
    oneLine(name.replace(/^refs\/tags\//, ""), 80)
  );
  if (from === to) {
    return {
      reason: "tag-moved",
      says: `The tag ${to}, the newest of ${ref}, was moved to ${
        short(commit.revision)
      }, but was at ${short(before.revision)} when it was deployed`,
    };
  }
  return {
    reason: "not-forward",
    says:
      `The newest tag of ${ref} is ${to}, which is not a higher version than ${from}, the deployed tag`,
  };
}

/** Distinguishes an older commit, another branch and another repository. */
async function backward(
  run: Run,
  { mirror, commit: { revision } }: Fetched,
  from: string,
  what: string,
): Promise<Move> {
  const common = await commonOf(run, mirror, from, revision);
  if (common === revision) {
    return {
      reason: "not-forward",
      says: `${what}, which is older than ${
        short(from)
      }, the newest deployed commit`,
    };
  }
  // Only a complete history shows that there is no common commit.
  const isWhole = !await exists(`${mirror}/.git/shallow`);
  const hasNone = common === undefined && await has(run, mirror, from);
  if (isWhole && hasNone) {
    return {
      reason: "repository-replaced",
      says: `${what}, which does not descend from ${
        short(from)
      }, the newest deployed commit: they have no commit in common, so the history was rewritten from its start, or this is another repository`,
    };
  }
  return {
    reason: "not-forward",
    says: `${what}, which does not descend from ${
      short(from)
    }, the newest deployed commit`,
  };
}
