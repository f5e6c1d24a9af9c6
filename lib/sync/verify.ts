/**
 * Decides whether a fetched revision may be evaluated at all.
 *
 * @module
 */
import { say } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { short } from "../base/text.ts";
import { localGit } from "../tools/git.ts";
import type { Fetched } from "./fetch.ts";
import type { Run } from "./run.ts";

/** A revision that may be evaluated. */
export interface Verified extends Omit<Fetched, "done"> {
  readonly done: "verified";
}

/**
 * Lets through what moves forward: a revision that descends from the one that
 * this host deployed last, unless `allowForcePush` is set.
 *
 * @throws {SyncError} `not-forward`, exit 4. Nothing of it was evaluated.
 */
export async function verify(run: Run, fetched: Fetched): Promise<Verified> {
  if (fetched.forward === "no") refuseOrReport(run, fetched);
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
  return { ...fetched, done: "verified" };
}

function refuseOrReport(run: Run, { commit, tip }: Fetched): void {
  const from = short(run.state.lastGood!.revision);
  const to = short(commit.revision);
  const what = `The ${tip.kind} ${run.config.ref} was moved to ${to}, which ` +
    `does not descend from ${from}, the revision deployed last`;
  if (run.config.allowForcePush) {
    return say(run.effects, "warning", `${what} (allowed by allowForcePush)`);
  }
  throw new SyncError(what, {
    stage: "verify",
    reason: "not-forward",
    next: "hold",
    hints: [
      "if this was meant, run once: gitops-sync sync --allow-force-push",
      "if not, find out who rewrote the history before this host follows it",
    ],
  });
}
