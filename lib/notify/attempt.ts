/**
 * Reports the beginning and the end of an attempt.
 *
 * @module
 */
import type { SyncError } from "../base/errors.ts";
import { oneLine, short } from "../base/text.ts";
import type { Config } from "../config/schema.ts";
import { type Ended, type Run } from "../run/run.ts";
import { closedNames } from "../run/gates.ts";
import { rolledBackBy } from "../run/rolled_back.ts";
import { mayUnfollow } from "../run/same.ts";
import { asideReason } from "../run/testing.ts";
import type { Hold, Left, Untold, Wish } from "../state/state.ts";
import { isNotNow } from "../run/not_now.ts";
import { linkTo, nameOf, type NoticeParts, stampOf } from "./notice.ts";
import type { CommitStatus } from "./spool.ts";
import {
  pendingAt,
  spool,
  spoolStatus,
  type StatusTeller,
  warnOnFailure,
} from "./tell.ts";

/** Reports to the forge that the deployment of a commit begins. */
export async function tellBegun(run: Run): Promise<void> {
  await warnOnFailure(run, async () => {
    const status = statusOf(run, "pending", `deploying on ${run.config.host}`);
    await spoolStatus(run, 0, status);
  });
}

/**
 * Reports how an attempt ended. Called before the end is recorded: a run that
 * is interrupted in between records it again, and reports it again with the
 * same id. Failures are reported as lasting events (lib/sync/lasting.ts).
 *
 * @returns the messages that could not be written to the spool, for the state.
 */
export async function tellEnded(
  run: Run,
  ended: Ended,
): Promise<readonly Untold[]> {
  const { effects, config } = run;
  const untold: Untold[] = [];
  const teller = { effects, config, untold };
  await warnOnFailure(run, async () => {
    const parts = [...skippedGates(run, ended), ...noticesOf(run, ended)];
    for (const one of parts) await spool(teller, one);
    const statuses = [
      ...statusesOf(run, ended),
      ...replacedStatuses(run, ended),
    ];
    for (const status of statuses) await spoolStatus(teller, 1, status);
  });
  return untold;
}

/** The event that a person skipped the gates, whatever the result. */
function skippedGates({ attempt }: Run, ended: Ended): NoticeParts[] {
  const { skipped, id, commit: { revision, subject, author } } = attempt;
  if (!skipped) return [];
  const { by, reason } = skipped;
  const name = nameOf(revision, subject);
  return [{
    // In addition to the event of the result.
    id: `${id}-gates`,
    event: "gates-skipped",
    severity: "warning",
    summary: `${by} skipped the gates for ${name}: ${ended.result}`,
    revision,
    subject,
    author,
    ...reason ? { message: reason } : {},
  }];
}

function noticesOf(run: Run, ended: Ended): NoticeParts[] {
  if (!("deployment" in ended)) return [];
  const { attempt: { id, commit }, state, effects } = run;
  const { revision, subject, author } = commit;
  const { system } = ended.deployment;
  const about = { id, revision, subject, author, system };
  const name = nameOf(revision, subject);
  switch (ended.result) {
    case "tested":
      return [{
        ...about,
        event: "deployed",
        severity: "info",
        summary: `testing ${name} until the next reboot`,
      }];
    case "test-over":
      return [{
        ...about,
        event: "deployed",
        severity: "info",
        summary: `the test ended: running ${name} again`,
      }];
    case "corrected":
      return [{
        ...about,
        event: "deployed",
        severity: "info",
        summary: `corrected drift: switched back to ${name}`,
      }];
    case "rolled-back":
      return [{
        ...about,
        event: "rolled-back",
        severity: "warning",
        summary: `rolled back to ${name}`,
        message: rollbackReason(ended.left),
      }];
    case "deployed": {
      const deployed = {
        ...about,
        event: "deployed",
        severity: "info",
        summary: `deployed ${name}`,
      } as const;
      if (!mayUnfollow(state, commit, effects.now())) return [deployed];
      return [deployed, {
        ...about,
        event: "unfollowed",
        severity: "warning",
        summary: "this host may not get the next commit",
        message:
          `a person allowed ${name} to be deployed although the new system may not be able to fetch the next commit`,
      }];
    }
  }
}

/** Returns why the host was rolled back, or who did it. */
function rollbackReason({ because, stays }: Left): string {
  if (because !== undefined) return because;
  return stays
    ? `${rolledBackBy(stays)}; the host stays there until gitops-sync resume`
    : "a person rolled this host back";
}

function statusesOf(run: Run, ended: Ended): CommitStatus[] {
  switch (ended.result) {
    case "deployed":
      return [statusOf(run, "success", `runs on ${run.config.host}`)];
    case "tested":
      return [
        statusOf(run, "success", `runs on ${run.config.host} as a test`),
      ];
    case "built":
      return [statusOf(run, "success", `built for ${run.config.host}`)];
    case "waiting":
      return [
        statusOf(run, "pending", `waits for approval on ${run.config.host}`),
      ];
    case "gated":
      return [
        statusOf(
          run,
          "pending",
          `waits on ${run.config.host} for ${closedNames(ended.gated)}`,
        ),
      ];
    case "failed":
      // The commit has no fault, and is tried again.
      return isNotNow(ended.error) || ended.error.reason === "interrupted"
        ? []
        : [statusOf(run, "failure", failureOf(ended.error))];
    case "interrupted":
      // The testing branch is not tried again until it or the ref moves.
      return ended.error.reason === asideReason
        ? [statusOf(run, "failure", failureOf(ended.error))]
        : [];
    case "rolled-back":
      return ended.left.revisions.map((revision) =>
        statusFor(run, revision, "failure", `rolled back on ${run.config.host}`)
      );
    default:
      return [];
  }
}

/**
 * Completes the status of commits that waited, or whose attempt was
 * interrupted, before a later one was deployed. They are not attempted again.
 */
function replacedStatuses(run: Run, ended: Ended): CommitStatus[] {
  if (ended.result !== "deployed") return [];
  const { commit: { revision } } = run.attempt;
  const text = `replaced by ${
    short(revision)
  }, which runs on ${run.config.host}`;
  return pendingAt(run).filter((one) => one !== revision)
    .map((one) => statusFor(run, one, "success", text));
}

/** Describes a failure in a few words. */
export function failureOf(
  { stage, reason, message }: Pick<SyncError, "stage" | "reason" | "message">,
): string {
  return `failed at ${stage}: ${reason}: ${message}`;
}

function statusOf(
  run: Run,
  state: CommitStatus["state"],
  description: string,
): CommitStatus {
  return statusFor(run, run.attempt.commit.revision, state, description);
}

function statusFor(
  run: Run,
  revision: string,
  state: CommitStatus["state"],
  description: string,
): CommitStatus {
  const { id } = run.attempt;
  return { id, revision, state, description, ...linkOf(run, revision) };
}

function linkOf(
  { config }: { config: Parameters<typeof linkTo>[0] },
  revision: string,
): { link?: string } {
  const link = linkTo(config, revision);
  return link === undefined ? {} : { link };
}

/** Reports to the forge that a person rejected a revision. */
export async function tellRejected(
  teller: StatusTeller & {
    config: Pick<Config, "host" | "ref" | "notify.link">;
  },
  { revision, since }: Pick<Hold, "revision" | "since">,
  { by, reason }: Wish,
): Promise<void> {
  const { config } = teller;
  const why = reason === undefined ? "" : `: ${reason}`;
  await warnOnFailure(teller, () =>
    spoolStatus(teller, 1, {
      id: `${stampOf(new Date(since))}-rejected`,
      revision,
      state: "failure",
      description: oneLine(`rejected on ${config.host} by ${by}${why}`),
      ...linkOf(teller, revision),
    }));
}
