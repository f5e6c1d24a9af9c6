/**
 * Decides whether a fetched revision may be evaluated at all.
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
 * Lets through what moves forward, is signed as `verify.mode` asks, and can be
 * read without harm.
 *
 * @returns the same revision, whose commit now tells who signed it.
 * @throws {SyncError} exit 4. Nothing of it was evaluated.
 */
export async function verify(run: Run, fetched: Fetched): Promise<Verified> {
  // The signature first: a move that nobody signed is none to ask about.
  const { signers, firstTrusted } = await checkSignatures(run, fetched);
  const commit = await identified(run, fetched, signers);
  // A testing branch may move as it likes, on top of the followed ref.
  const forward = fetched.tip.base === undefined
    ? await checkMove(run, { ...fetched, commit })
    : fetched.forward;
  await checkTree(run, fetched);
  // What was refused for whatever reason vouches for nothing.
  if (firstTrusted) await run.save({ firstTrusted });
  // Nix asks for the mirror's HEAD even where it is told the revision, so HEAD
  // names what was verified last and nothing else.
  const head = ["update-ref", "--no-deref", "HEAD", commit.revision];
  await must(run, localGit(fetched.mirror, head));
  return { ...fetched, commit, forward, done: "verified" };
}

/**
 * The commit with its signers and what it is known by. From here on it is held
 * under whatever hash, and refused where it is held under another one.
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
