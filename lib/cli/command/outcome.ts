/**
 * Prints how a run ended, in words or as JSON.
 *
 * @module
 */
import { formatDuration } from "../../base/duration.ts";
import { type Effects, say } from "../../base/effects.ts";
import { short } from "../../base/text.ts";
import type { Config } from "../../config/schema.ts";
import type { Backoff, Deployment, Gated, Hold } from "../../state/state.ts";
import type { Drift } from "../../run/decide.ts";
import { exitOf, type Outcome } from "../../sync/outcome.ts";
import type { Run } from "../../run/run.ts";
import { errorJson } from "../output/json.ts";
import { printHostJson } from "../output/host_json.ts";
import { errorEvent, print } from "../output/print.ts";
import {
  againText,
  correctHint,
  opensText,
  rolledBackText,
  waitText,
} from "../../report/words.ts";
import { timeOf } from "../../report/times.ts";
import { describe } from "../../run/commit.ts";
import { askedClosed, closedNames } from "../../run/gates.ts";
import { holdHints } from "../../run/holding.ts";
import { howOften } from "../../run/how_often.ts";
import type { Call } from "../call.ts";

/** Prints the result of a run, and its warnings. */
export async function tellOutcome(
  call: Call,
  config: Config,
  effects: Effects,
  outcome: Outcome,
): Promise<void> {
  if ("drift" in outcome && outcome.drift) {
    tellDrift(effects, config, outcome.drift);
  }
  if (call.json) {
    const { name } = call.command;
    await printHostJson(name, config, exitOf(outcome), outcomeJson(outcome));
  }
  switch (outcome.result) {
    case "failed":
      return effects.tell(errorEvent(outcome.error));
    case "interrupted": {
      const { message, hints } = outcome.error;
      return say(effects, "notice", message, hints);
    }
    case "held":
      return tellHeld(effects, outcome.hold);
    case "waiting":
      return tellWaiting(effects, outcome.backoff);
    default:
      if (!call.json) print(sentence(config, outcome));
      tellStillBlocked(call, effects, outcome);
  }
}

/**
 * Reports that a retry has left commits blocked, because the host is suspended
 * or stays rolled back.
 */
function tellStillBlocked(
  call: Call,
  effects: Effects,
  { result }: Outcome,
): void {
  const stays = result === "suspended" || result === "stays";
  if (call.command.name !== "retry" || !stays) return;
  say(effects, "notice", "The blocked commits stay blocked", [
    "Run `gitops-sync resume`, then `gitops-sync retry` to try them again.",
  ]);
}

/** Returns the result in one line. */
export function sentence(config: Config, outcome: Outcome): string {
  switch (outcome.result) {
    case "in-sync": {
      const { revision, testing } = outcome;
      const tested = testing
        ? `; ${describe(testing)} runs as a test until the next reboot`
        : "";
      return `In sync: ${config.ref} is at ${short(revision)}${tested}`;
    }
    case "stays": {
      const { rolledBack, deployment } = outcome;
      return `Nothing was done: the host stays at ${describe(deployment)}, ${
        rolledBackText(rolledBack)
      }. Run \`gitops-sync resume\` to follow ${config.ref} again.`;
    }
    case "unapproved":
      return `Built ${describe(outcome.waiting)}: it waits for approval. ${
        waitText(outcome)
      }`;
    case "gated":
      return gatedSentence(outcome.gated);
    case "failed":
    case "interrupted":
      return outcome.error.message;
    case "held":
      return outcome.hold.message;
    case "waiting":
      return `${short(outcome.backoff.revision)} is tried again later`;
    case "queued":
      return `${short(outcome.revision)} has waited for a slot since ${
        timeOf(outcome.wait.since)
      }: nothing was done; ${outcome.wait.message}`;
    case "suspended": {
      const { until, reason } = outcome.suspension;
      const end = until === null ? "until resume" : `until ${timeOf(until)}`;
      return `Suspended ${end}${
        reason ? ` (${reason})` : ""
      }: nothing was done`;
    }
    case "rebooting":
      return `About to reboot into ${
        short(outcome.revision)
      }: nothing was done`;
    case "starting":
      return "The host is still starting: nothing was done; the next run continues";
    case "outside":
      return `${config.ref} is at ${
        short(outcome.revision)
      }: nothing was done; ${opensText(outcome.opening)}`;
    case "built":
      return `Built ${short(outcome.revision)} in ${
        took(outcome.run)
      }: ${outcome.system}`;
    default:
      return deployedSentence(
        outcome.result,
        outcome.deployment,
        outcome.run,
        "stays" in outcome,
      );
  }
}

/** Returns which gates are closed, why, and when they are checked again. */
function gatedSentence(gated: Gated): string {
  const [first] = askedClosed(gated);
  const why = first ? ` (${first.why})` : "";
  return `Built ${describe(gated)}: it waits for ${closedNames(gated)}${why}. ${
    againText(gated)
  }`;
}

const verbs = {
  deployed: "Deployed",
  corrected: "Corrected drift: activated",
  tested: "Deployed as a test, until the next reboot:",
  "test-over": "The test is over; the host is back at",
  "rolled-back": "Rolled back to",
} as const;

function deployedSentence(
  result: keyof typeof verbs,
  deployment: Deployment,
  run: Run,
  stays = false,
): string {
  if (result === "rolled-back" && stays) {
    return `Rolled back to ${describe(deployment)} in ${
      took(run)
    }; the host stays there until \`gitops-sync resume\``;
  }
  const where = deployment.target.operation === "boot"
    ? "; it starts with the next boot"
    : "";
  return `${verbs[result]} ${describe(deployment)} in ${took(run)}${where}`;
}

/**
 * Returns the duration since the first stage began; the attempt itself is over.
 */
function took(run: Run): string {
  return formatDuration(run.stages.reduce((sum, { ms }) => sum + ms, 0));
}

function tellDrift(effects: Effects, config: Config, drift: Drift): void {
  say(
    effects,
    "warning",
    `Somebody switched this host by hand: the ${drift.what} is ${
      drift.actual ?? "missing"
    }, but ${drift.expected} was deployed`,
    // The correction may only wait for a window, so no hint is needed.
    config.drift === "correct" ? [] : [correctHint],
  );
}

function tellHeld(effects: Effects, hold: Hold): void {
  const { revision, message, hints } = hold;
  say(
    effects,
    "warning",
    `${short(revision)} has been blocked since ${
      timeOf(hold.since)
    }: ${message}`,
    [...hints, ...holdHints(hold)],
  );
}

function tellWaiting(effects: Effects, backoff: Backoff): void {
  const { revision, failures, notBefore } = backoff;
  say(
    effects,
    "warning",
    `${short(revision)} failed ${
      howOften(failures)
    } with a temporary error; the next run after ${
      timeOf(notBefore)
    } tries it again`,
    [
      "Run `gitops-sync sync --now` to try at once, or `gitops-sync status` to see the error.",
    ],
  );
}

/** Results that have another name in JSON. */
const resultNames: Partial<Record<Outcome["result"], { result: string }>> = {
  // A rollback that lasts; "deployment" is the system that runs.
  stays: { result: "rolled-back" },
  unapproved: { result: "waiting" },
};

function outcomeJson(outcome: Outcome): Record<string, unknown> {
  if (outcome.result === "failed" || outcome.result === "interrupted") {
    const { result, error, run } = outcome;
    return { result, ...failurePart(run), error: errorJson(error) };
  }
  const { run, ...rest } = { run: undefined, ...outcome };
  const known = { ...rest, ...resultNames[outcome.result] };
  return run ? { ...known, stages: run.stages } : known;
}

/** Returns the revision of the failed attempt, and its stages. */
function failurePart(
  run: Run | undefined,
): { revision: string | null; stages: Run["stages"] } {
  const { attempt, last } = run?.state ?? {};
  // A recorded attempt is the last one of the state.
  const revision = attempt?.commit.revision ?? last?.revision ?? null;
  return { revision, stages: run?.stages ?? [] };
}
