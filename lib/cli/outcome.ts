/**
 * How a run ended, in words and as JSON.
 *
 * @module
 */
import { formatDuration } from "../base/duration.ts";
import { type Effects, say } from "../base/effects.ts";
import { short } from "../base/text.ts";
import type { Config } from "../config/schema.ts";
import type { Deployment, Hold } from "../host/state.ts";
import type { Drift } from "../sync/decide.ts";
import { describe } from "../sync/pipeline.ts";
import { exitOf, type Outcome } from "../sync/reconcile.ts";
import type { Run } from "../sync/run.ts";
import type { Call } from "./arguments.ts";
import { errorJson, printJson } from "./json.ts";
import { errorEvent, print } from "./output.ts";
import { timeOf } from "./times.ts";

/** Tells what came of a run. */
export function tellOutcome(
  call: Call,
  config: Config,
  effects: Effects,
  outcome: Outcome,
): void {
  if ("drift" in outcome && outcome.drift) tellDrift(effects, outcome.drift);
  if (outcome.result === "failed") effects.tell(errorEvent(outcome.error));
  if (call.json) {
    printJson(call.command.name, exitOf(outcome), outcomeJson(outcome));
  } else {
    print(sentence(config, outcome));
  }
  if (outcome.result === "held") tellHints(effects, outcome.hold);
}

function sentence(config: Config, outcome: Outcome): string {
  switch (outcome.result) {
    case "in-sync":
      return `In sync: ${config.ref} is at ${short(outcome.revision)}`;
    case "suspended": {
      const { until, reason } = outcome.suspension;
      const end = until === null ? "until resume" : `until ${timeOf(until)}`;
      return `Suspended ${end}${
        reason ? ` (${reason})` : ""
      }: nothing was done`;
    }
    case "held":
      return `Held: ${
        short(outcome.hold.revision)
      } is not tried again: ${outcome.hold.message}`;
    case "waiting":
      return `Waiting: ${
        short(outcome.backoff.revision)
      } failed for what may pass; tried again after ${
        timeOf(outcome.backoff.notBefore)
      }, or at once with gitops-sync sync --now`;
    case "built":
      return `Built ${short(outcome.revision)} in ${
        took(outcome.run)
      }: ${outcome.system}`;
    case "failed":
      return `Failed: exit ${outcome.error.exit}`;
    default:
      return deployedSentence(outcome.result, outcome.deployment, outcome.run);
  }
}

const verbs = {
  deployed: "Deployed",
  corrected: "Corrected drift: activated",
  "rolled-back": "Rolled back to",
} as const;

function deployedSentence(
  result: keyof typeof verbs,
  deployment: Deployment,
  run: Run,
): string {
  const where = deployment.target.operation === "boot"
    ? "; it starts with the next boot"
    : "";
  return `${verbs[result]} ${describe(deployment)} in ${took(run)}${where}`;
}

/** From the first stage's beginning; the attempt itself is over. */
function took(run: Run): string {
  return formatDuration(run.stages.reduce((sum, { ms }) => sum + ms, 0));
}

function tellDrift(effects: Effects, drift: Drift): void {
  say(
    effects,
    "warning",
    `Somebody switched this host by hand: the ${drift.what} is ${
      drift.actual ?? "gone"
    }, and not ${drift.expected}, which was deployed`,
    [
      "gitops-sync sync --drift correct activates what was deployed again",
    ],
  );
}

function tellHints(effects: Effects, { revision, hints }: Hold): void {
  effects.tell({
    kind: "message",
    level: "warning",
    text: `${short(revision)} is held`,
    hints: [...hints, "gitops-sync retry tries it again"],
  });
}

function outcomeJson(outcome: Outcome): Record<string, unknown> {
  if (outcome.result === "failed") {
    return { result: "failed", error: errorJson(outcome.error) };
  }
  const { run, ...rest } = { run: undefined, ...outcome };
  return run ? { ...rest, stages: run.stages } : rest;
}
