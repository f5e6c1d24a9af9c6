/**
 * The only place that writes the end of an attempt to state and history.
 *
 * @module
 */
import { exitCodes, type SyncError } from "../base/errors.ts";
import { runningSystem, systems } from "../host/system.ts";
import { startsAnother } from "../activation/confirm.ts";
import { writeHistory } from "../state/unwritten.ts";
import type {
  Attempt,
  HistoryEntry,
  Hold,
  LastAttempt,
  State,
} from "../state/state.ts";
import { backoffAfter, longestAsked, targetOf } from "../run/decide.ts";
import { type Ended, holdFor, type Run } from "../run/run.ts";
import { isSame } from "../run/same.ts";
import { slotAfter } from "../run/slot.ts";
import { sameTarget } from "../run/target.ts";
import { goneReason } from "../run/soak.ts";
import { asideReason, standsAs } from "../run/testing.ts";
import { withHold } from "./holds.ts";
import { toldOf } from "./told.ts";

/**
 * Records the end of the attempt in the journal. It writes the history first: if
 * it is interrupted between the two, the attempt stays in the journal, and its
 * second line in the history counts. A line that cannot be written waits in the
 * state for the next run; the outcome does not depend on it.
 *
 * @throws {SyncError} as {@linkcode writeState}. The journal then stays.
 */
export async function record(run: Run, ended: Ended): Promise<void> {
  const entry = entryOf(run, ended);
  const untold = await toldOf(run, ended);
  const unwritten = await writeHistory(run.effects, run.folder, [
    ...run.state.unwritten ?? [],
    entry,
  ]);
  const { unwritten: _, ...state } = stateAfter(run, ended);
  await run.replace({
    ...state,
    ...unwritten.length > 0 ? { unwritten } : {},
    ...untold,
  });
}

function errorOf(ended: Ended): SyncError | undefined {
  return "error" in ended ? ended.error : undefined;
}

function entryOf(run: Run, ended: Ended): HistoryEntry {
  const { attempt, stages } = run;
  const error = errorOf(ended);
  const system = systemOf(run, ended);
  const { revision, subject, author, signers } = attempt.commit;
  return {
    version: 1,
    id: attempt.id,
    command: attempt.command,
    at: attempt.startedAt,
    ms: run.effects.now().getTime() - Date.parse(attempt.startedAt),
    result: ended.result,
    exit: error?.exit ?? exitCodes.ok,
    revision,
    subject,
    author,
    ...(signers ? { signers } : {}),
    ...(system === undefined ? {} : { system }),
    stages,
    ...(error
      ? { stage: error.stage, reason: error.reason, message: error.message }
      : {}),
    ...attempt.skipped ? { skippedGates: true as const } : {},
    ...wishOf(run, ended),
  };
}

/** Returns who requested it, and why. */
function wishOf(
  { attempt, state: { waiting } }: Run,
  ended: Ended,
): Pick<HistoryEntry, "by" | "why"> {
  const wish = attempt.skipped ?? attempt.left?.stays;
  if (wish) {
    return { by: wish.by, ...wish.reason ? { why: wish.reason } : {} };
  }
  const isDeployed = ended.result === "deployed" || ended.result === "tested";
  const approved = isDeployed && waiting && isSame(waiting, attempt.commit)
    ? waiting.approved
    : undefined;
  const by = approved?.by ?? attempt.by;
  return by === undefined ? {} : { by };
}

function systemOf(run: Run, ended: Ended): string | undefined {
  if (ended.result === "built") return ended.system;
  if (ended.result === "waiting") return ended.waiting.system;
  if (ended.result === "gated") return ended.gated.system;
  return "deployment" in ended
    ? ended.deployment.system
    : run.attempt.candidate;
}

function stateAfter(run: Run, ended: Ended): State {
  const {
    attempt,
    backoff,
    cutOff,
    unfollow,
    unfit: _,
    quiet: __,
    rolledBack: ___,
    waiting: ____,
    gated: _____,
    ...rest
  } = run.state;
  const { commit } = run.attempt;
  const { revision } = commit;
  const error = errorOf(ended);
  const now = run.effects.now();
  if (error) run.quiet.note(run.remote.repository, error, now);
  return {
    ...rest,
    // If the rollback failed, every later run tries it again.
    ...(attempt?.previous?.running && error && !isBack(run, attempt, error)
      ? { attempt }
      : {}),
    // A pause and a count belong to one revision and end with it.
    ...(backoff && backoff.revision !== revision ? { backoff } : {}),
    ...(cutOff && (error || !isSame(cutOff, commit)) ? { cutOff } : {}),
    ...unfitAfter(run, error),
    ...(unfollow && (error || !isSame(unfollow, commit)) ? { unfollow } : {}),
    last: lastOf(run, ended),
    ...run.quiet.after(now),
    ...rolledBackAfter(run, ended),
    ...waitingAfter(run, ended),
    ...gatedAfter(run, ended),
    ...slotAfter(run.state, ended.result, error),
    ...changesBy(run, ended),
  };
}

/**
 * Whether the host is proven to be in its earlier condition: the links and the
 * bootloader show it, and nothing failed during the rollback.
 */
function isBack(run: Run, attempt: Attempt, error: SyncError): boolean {
  if (error.exit === exitCodes.broken) return false;
  const { touched, previous } = attempt;
  if (!touched || !previous) return true;
  return standsAs(previous, run.state, systems()) &&
    !startsAnother(run, previous.bootDefault);
}

/** Notes an unhealthy system that stays, because none ran before it. */
function unfitAfter(
  { state, attempt }: Run,
  error: SyncError | undefined,
): Pick<State, "unfit"> {
  if (!error) return {};
  const running = runningSystem();
  const { touched, previous, candidate } = attempt;
  const isLeft = touched && previous?.running === null && running !== null &&
    running === candidate;
  if (isLeft) return { unfit: candidate };
  return state.unfit !== undefined && state.unfit === running
    ? { unfit: state.unfit }
    : {};
}

/** Returns what else a later run must know. */
function changesBy(run: Run, ended: Ended): Partial<State> {
  const { state: { holds }, attempt: { commit, target } } = run;
  const at = run.effects.now().toISOString();
  switch (ended.result) {
    case "built":
      return { built: { ...commit, target, system: ended.system, at } };
    case "rolled-back":
      return {
        holds: ended.left.revisions.reduce(
          (all, revision) =>
            withHold(all, holdOnLeft(run, revision, ended.left.because)),
          holds,
        ),
      };
    case "failed":
    case "interrupted": {
      const { error } = ended;
      if (error.reason === asideReason) return testingAfter(run, true);
      if (error.reason === goneReason) return withoutSighting(run);
      if (error.next === "hold") {
        const hold = holdFor(run, error);
        return { holds: withHold(holds, hold), ...testingAfter(run) };
      }
      if (error.exit === exitCodes.held) return testingAfter(run);
      return error.next === "retry" ? { backoff: backoffFor(run, error) } : {};
    }
    case "deployed":
    case "tested":
      return acceptedAfter(run);
    default:
      return {};
  }
}

/** Returns the lasting rollback after an attempt. */
function rolledBackAfter(
  { state: { rolledBack }, effects }: Run,
  ended: Ended,
): Pick<State, "rolledBack"> {
  const known = rolledBack ? { rolledBack } : {};
  if (ended.result !== "rolled-back") return known;
  const { deployment: { system }, left: { because, stays } } = ended;
  if (stays) {
    const at = effects.now().toISOString();
    return { rolledBack: { ...stays, at, system } };
  }
  // An earlier one continues if the host rolled back by itself.
  return because === undefined ? {} : known;
}

/**
 * Remembers the tried revision of the testing branch, which is not tried again,
 * and the deployment of it that runs.
 */
function testingAfter(
  { state, attempt }: Run,
  isAside = false,
): Pick<State, "testing"> {
  const { testing, commit: { revision } } = attempt;
  if (!testing) return {};
  const { deployment } = state.testing ?? {};
  return {
    testing: {
      revision,
      ...testing,
      ...isAside ? { isAside } : {},
      ...deployment ? { deployment } : {},
    },
  };
}

/** Returns what waits for approval; a deployment uses the approval up. */
function waitingAfter(
  { state: { waiting }, attempt: { commit, target, kind } }: Run,
  ended: Ended,
): Pick<State, "waiting"> {
  if (ended.result === "waiting") return { waiting: ended.waiting };
  if (!waiting) return {};
  const isIt = isSame(waiting, commit) && sameTarget(waiting.target, target);
  // A deployment ends the wait, except for a test on top of it.
  const isPast = ended.result === "deployed" &&
    !(waiting.target.operation === "test" && target.operation !== "test");
  // If a newer revision failed, this one can no longer be deployed.
  const isLeft = errorOf(ended) !== undefined && kind !== undefined && !isIt &&
    sameTarget(waiting.target, target);
  const isUsed = isPast || isLeft || ended.result === "tested" && isIt;
  return isUsed ? {} : { waiting };
}

/** Returns what gates hold back, until it or a newer revision is deployed. */
function gatedAfter(
  { state: { gated }, attempt: { commit, target, kind } }: Run,
  ended: Ended,
): Pick<State, "gated"> {
  if (ended.result === "gated") return { gated: ended.gated };
  if (!gated) return {};
  const isIt = isSame(gated, commit) && sameTarget(gated.target, target);
  const isDone = ended.result === "deployed" || ended.result === "tested";
  // A newer revision was tried, or a person is asked about it.
  const isLeft = kind !== undefined && !isIt && !("error" in ended);
  return isDone || isLeft ? {} : { gated };
}

/** Forgets a revision that the ref no longer has. */
function withoutSighting({ state, attempt }: Run): Pick<State, "sightings"> {
  const { commit: { revision } } = attempt;
  const { sightings = [] } = state;
  return {
    sightings: sightings.filter((one) => one.revision !== revision),
  };
}

/** Removes the permission that this deployment has used up. */
function acceptedAfter({ state, attempt }: Run): Partial<State> {
  if (!state.accepted) return {};
  const { commit, accepted: by } = attempt;
  return {
    accepted: state.accepted.filter((one) =>
      !isSame(one, commit) && one.revision !== by
    ),
  };
}

function lastOf(run: Run, ended: Ended): LastAttempt {
  const error = errorOf(ended);
  const { revision } = run.attempt.commit;
  const { last } = run.state;
  const again = last?.result === ended.result && last.revision === revision &&
    last.reason === error?.reason;
  return {
    at: run.effects.now().toISOString(),
    result: ended.result,
    exit: error?.exit ?? exitCodes.ok,
    revision,
    ...(error ? { stage: error.stage, reason: error.reason } : {}),
    message: error?.message ?? "",
    hints: error?.hints ?? [],
    times: again ? last.times + 1 : 1,
  };
}

function backoffFor(run: Run, { after }: SyncError): State["backoff"] & object {
  const { revision } = run.attempt.commit;
  const { backoff } = run.state;
  const before = backoff?.revision === revision ? backoff.failures : 0;
  const failures = before + 1;
  const asked = Math.min(after, longestAsked);
  const pause = Math.max(asked, backoffAfter(failures, Math.random()));
  const notBefore = new Date(run.effects.now().getTime() + pause);
  return {
    revision,
    failures,
    notBefore: notBefore.toISOString(),
    ...asked > 0 ? { asked } : {},
  };
}

function holdOnLeft(run: Run, revision: string, because?: string): Hold {
  const { lastGood, earlier } = run.state;
  const known = [run.attempt.commit, lastGood, ...earlier]
    .find((one) => one?.revision === revision);
  return {
    revision,
    ...known?.digest && { digest: known.digest },
    target: targetOf(run.config),
    stage: because === undefined ? "decide" : "health",
    reason: "rolled-back",
    message: because ?? "a person rolled this host back from it",
    hints: [],
    since: run.effects.now().toISOString(),
  };
}
