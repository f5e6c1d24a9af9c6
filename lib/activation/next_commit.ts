/**
 * Checks whether the next commit can arrive once a candidate is confirmed. A
 * commit must not break what deploys the next one.
 *
 * @module
 */
import { say } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { short } from "../base/text.ts";
import { hasSystemd } from "../host/system.ts";
import { Deadline } from "../run/deadline.ts";
import type { Run } from "../run/run.ts";
import { mayUnfollow } from "../run/same.ts";
import type { Activated } from "../run/stages.ts";
import { Copies } from "./next_copies.ts";
import { programProblem } from "./next_program.ts";
import { type Lack, nextReasons } from "./next_reasons.ts";
import { timerProblem } from "./next_timer.ts";
import { timer, unitText } from "./next_units.ts";

/** What was checked, in words; `undefined` on a host without the module. */
export type Checked = "the next commit can arrive" | undefined;

/**
 * Checks, with the candidate's own units, that its timer repeats and that its
 * program and configuration can deploy the next commit. Hosts without the
 * module are not checked.
 *
 * @throws {SyncError} exit 7, with a reason of {@linkcode nextReasons}; the
 * caller rolls back to the previous system.
 */
export async function checkNextCommit(
  run: Run,
  activated: Activated,
): Promise<Checked> {
  const { system, commit } = activated;
  const { revision } = commit;
  const previous = run.attempt.previous?.running ?? null;
  // A service without a timer is not from the module; something else starts it.
  const hasModule = unitText(system, timer) !== undefined;
  const hadModule = previous !== null &&
    unitText(previous, timer) !== undefined;
  if (!hasSystemd() || (!hasModule && !hadModule)) return undefined;
  if (mayUnfollow(run.state, commit, run.effects.now())) {
    say(
      run.effects,
      "warning",
      `A person accepted ${
        short(revision)
      } with --unfollow, so nothing checked that later commits arrive: this host may follow nothing from now on`,
    );
    return undefined;
  }
  const lack = hasModule
    ? await lackOf(run, activated)
    : withoutModule(revision);
  if (lack) throw failureOf(lack, revision);
  return "the next commit can arrive";
}

async function lackOf(
  run: Run,
  activated: Activated,
): Promise<Lack | undefined> {
  const { system, how } = activated;
  const deadline = new Deadline(run.effects, run.config["timeouts.health"]);
  await using copies = new Copies(run);
  return await timerProblem(run, copies, system, how === "later", deadline) ??
    await programProblem(run, copies, activated, deadline);
}

function withoutModule(revision: string): Lack {
  return {
    reason: nextReasons.unfollowed,
    text: `${
      short(revision)
    } no longer has ${timer}, so no later commit would arrive`,
    details: [],
    hints: [
      "Keep `services.gitops.enable = true` in the host's configuration.",
    ],
  };
}

function failureOf(lack: Lack, revision: string): SyncError {
  const { reason, text, details, hints, mayPass } = lack;
  return new SyncError(`The next commit would not arrive: ${text}`, {
    stage: "health",
    reason,
    next: mayPass ? "retry" : "hold",
    details,
    hints: [
      ...hints,
      `Run \`gitops-sync accept --unfollow ${
        short(revision)
      }\` to deploy it anyway.`,
    ],
  });
}
