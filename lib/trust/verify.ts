/**
 * Decides whether a fetched revision may be evaluated at all.
 *
 * @module
 */
import { localGit } from "../git/git.ts";
import { checkTree } from "./contain.ts";
import { checkMove } from "./forward.ts";
import type { Run } from "../run/run.ts";
import { checkSignatures } from "./signed.ts";
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
  await checkMove(run, fetched);
  await checkTree(run, fetched);
  // What was refused for whatever reason vouches for nothing.
  if (firstTrusted) await run.save({ firstTrusted });
  // Nix asks for the mirror's HEAD even where it is told the revision, so HEAD
  // names what was verified last and nothing else.
  await run.effects.run(
    localGit(fetched.mirror, [
      "update-ref",
      "--no-deref",
      "HEAD",
      fetched.commit.revision,
    ]),
  );
  const commit = signers.length > 0
    ? { ...fetched.commit, signers }
    : fetched.commit;
  return { ...fetched, commit, done: "verified" };
}
