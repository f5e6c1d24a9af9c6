/**
 * Recognises the failures of Git by its messages, which {@linkcode
 * gitEnvironment} keeps in English. Only loaded after Git has failed.
 *
 * @module
 */
import type { Finished } from "../base/effects.ts";
import { type Stage, SyncError } from "../base/errors.ts";
import { formatDuration } from "../base/duration.ts";
import { lastWords } from "../base/text.ts";
import { mistakes } from "../config/mistakes.ts";
import { dumbHttp, failureKindOf, notGitHint } from "./answers.ts";
import type { RemoteConfig } from "./git.ts";
import { authorityFile } from "./git.ts";
import { withoutTrace } from "./headers.ts";

/** The pause if a server asks for one without saying how long. */
const usualPause = 5 * 60_000;

function patience(stage: Stage): string {
  const option = stage === "fetch" ? "timeouts.fetch" : "timeouts.remote";
  return `if the network is slow or the repository large, raise ${option}`;
}

/** Returns the error for a failed Git process, with its reason and hints. */
export function remoteFailure(
  finished: Finished,
  config: RemoteConfig,
  stage: Stage,
): SyncError {
  const { said, after } = withoutTrace(finished.stderr);
  const sort = finished.timedOut ? undefined : failureKindOf(said);
  const isBusy = sort?.reason === "slow-down" ||
    after !== undefined && sort?.reason === "unreachable";
  if (isBusy) return busy(config, stage, said, after ?? usualPause);
  const access = { config, authority: authorityFile() };
  return new SyncError(
    `Cannot reach ${config.repository}: ${
      finished.timedOut
        ? "it did not answer in time"
        : sort?.says ?? "Git failed"
    }`,
    {
      stage,
      reason: finished.timedOut ? "unreachable" : sort?.reason ?? "git-failed",
      next: "retry",
      details: lastWords({ ...finished, stderr: said }),
      hints: [
        ...(finished.timedOut ? [networkHint, patience(stage)] : []),
        ...(sort?.hints(access, said) ?? []),
        ...mistakes(config),
      ],
      exit: 3,
    },
  );
}

const networkHint =
  "check this host's network, name resolution and proxy; the next run tries again";

/** Returns the error for a server that limits the rate of requests. */
function busy(
  config: RemoteConfig,
  stage: Stage,
  said: string,
  after: number,
): SyncError {
  return new SyncError(
    `Cannot reach ${config.repository}: the server asks to slow down`,
    {
      stage,
      reason: "slow-down",
      next: "retry",
      details: said.split("\n").filter((line) => line !== "").slice(-5),
      hints: [
        `the next request to it is in ${
          formatDuration(after)
        }; if this happens often, poll less often, or use a token of this host's own`,
      ],
      after,
      exit: 3,
    },
  );
}

/** Returns the error for an answer that is too large. */
export function answerTooLarge(config: RemoteConfig, stage: Stage): SyncError {
  return new SyncError(
    `Cannot use ${config.repository}: its answer is far larger than it can be`,
    {
      stage,
      reason: "answer-too-large",
      next: "retry",
      hints: ["check that repository names the right server"],
      exit: 3,
    },
  );
}

/**
 * Returns the error for a server that sent objects which Git does not check.
 */
export function unchecked(config: RemoteConfig): SyncError {
  return new SyncError(`Cannot use ${config.repository}: ${dumbHttp.says}`, {
    stage: "fetch",
    reason: dumbHttp.reason,
    next: "retry",
    hints: dumbHttp.hints({ config, authority: authorityFile() }, ""),
    exit: 3,
  });
}

/** Returns the error for a server that is not a Git server. */
export function notGit(config: RemoteConfig, stage: Stage): SyncError {
  return new SyncError(
    `Cannot reach ${config.repository}: something answers, but it is not a Git server`,
    { stage, reason: "not-git", next: "retry", hints: [notGitHint], exit: 3 },
  );
}
