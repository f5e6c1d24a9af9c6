/**
 * Decides whether a fetched revision may be evaluated.
 *
 * @module
 */
import { localGit } from "../git/git.ts";
import { must } from "../git/mirror.ts";
import { signedDigest } from "../git/signed_part.ts";
import { holdOf, isMove } from "../run/decide.ts";
import type { Run } from "../run/run.ts";
import type { Commit, Signer } from "../state/state.ts";
import { checkTree } from "./contain.ts";
import { checkMove } from "./forward.ts";
import { heldTwin } from "./refusals.ts";
import { checkSignatures } from "./signed.ts";
import { contentsOf } from "./trusted_keys.ts";
import { type Fetched, Verified } from "../run/stages.ts";

/**
 * Accepts a revision that moves forward, has the signatures that `verify.mode`
 * requires, and can be read safely.
 *
 * @returns the same revision, with the signers of its commit.
 * @throws {SyncError} exit 4. The revision was not evaluated.
 */
export async function verify(run: Run, fetched: Fetched): Promise<Verified> {
  // The signature first: an unsigned move needs no further check.
  const { signers, firstTrusted } = await checkSignatures(run, fetched);
  const commit = await identified(run, fetched, signers);
  // A testing branch may move freely on top of the followed ref.
  const forward = fetched.tip.base === undefined
    ? await checkMove(run, { ...fetched, commit })
    : fetched.forward;
  await checkTree(run, fetched);
  // A refused revision vouches for nothing.
  if (firstTrusted) await run.save({ firstTrusted });
  // Nix reads the mirror's HEAD even if it gets the revision, so HEAD is always
  // the revision that was verified last.
  const head = ["update-ref", "--no-deref", "HEAD", commit.revision];
  await must(run, localGit(fetched.mirror, head));
  return { ...fetched, commit, forward, done: "verified" };
}

/**
 * Returns the commit with its signers and its digest. From here on a hold
 * applies to all its hashes, and the commit is refused if it is blocked under
 * another hash.
 */
async function identified(
  run: Run,
  { commit, mirror, target }: Fetched,
  signers: readonly Signer[],
): Promise<Commit> {
  if (signers.length === 0) return commit;
  const [content] = await contentsOf(run, mirror, [commit.revision]);
  const digest = await signedDigest(content!);
  const known = { ...commit, signers, digest };
  await run.note({ commit: known });
  const hold = holdOf(run.state, known, target, run.config);
  if (hold && !isMove(hold)) throw heldTwin(commit, hold);
  return known;
}
