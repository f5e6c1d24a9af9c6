/**
 * The one place that turns how an attempt ended into state and history.
 *
 * @module
 */
import { exitCodes, type SyncError } from "../base/errors.ts";
import { tellsAny } from "../config/told.ts";
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
import { quietAfter } from "../run/quiet.ts";
import { type Ended, holdFor, type Run } from "../run/run.ts";
import { isSame } from "../run/same.ts";
import { withHold } from "./holds.ts";

/**
 * Records the end of the attempt in the journal. History first: a cut between
 * the two leaves the attempt there, and its second line then counts. A line that
 * can't be written waits in the state for the next run: the outcome is the same
 * with it or without.
 *
 * @throws {SyncError} as {@linkcode writeState}. The journal then stays.
 */
export async function record(run: Run, ended: Ended): Promise<void> {
  const entry = entryOf(run, ended);
  if (tellsAny(run.config)) {
    const { tellEnded } = await import("../notify/attempt.ts");
    await tellEnded(run, ended);
  }
  const unwritten = await writeHistory(run.effects, run.folder, [
    ...run.state.unwritten ?? [],
    entry,
  ]);
  const { unwritten: _, ...state } = stateAfter(run, ended);
  await run.replace(unwritten.length > 0 ? { ...state, unwritten } : state);
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
  };
}

function systemOf(run: Run, ended: Ended): string | undefined {
  if (ended.result === "built") return ended.system;
  return "deployment" in ended
    ? ended.deployment.system
    : run.attempt.candidate;
}

function stateAfter(run: Run, ended: Ended): State {
  const { attempt, backoff, cutOff, unfollow, unfit: _, ...rest } = run.state;
  const { commit } = run.attempt;
  const { revision } = commit;
  const error = errorOf(ended);
  return {
    ...rest,
    // Where the way back failed, every later run tries it again.
    ...(attempt?.previous?.running && error && !isBack(run, attempt, error)
      ? { attempt }
      : {}),
    // A pause and a count are about one revision; its end is theirs.
    ...(backoff && backoff.revision !== revision ? { backoff } : {}),
    ...(cutOff && (error || !isSame(cutOff, commit)) ? { cutOff } : {}),
    ...unfitAfter(run, error),
    ...(unfollow && (error || !isSame(unfollow, commit)) ? { unfollow } : {}),
    last: lastOf(run, ended),
    ...(error
      ? quietAfter(run.state, run.remote.repository, error, run.effects.now())
      : {}),
    ...changesBy(run, ended),
  };
}

/**
 * Whether the host is proven to be as it was before: the links and the
 * bootloader say so, and nothing that went wrong on the way back.
 */
function isBack(run: Run, attempt: Attempt, error: SyncError): boolean {
  if (error.exit === exitCodes.broken) return false;
  const { touched, previous } = attempt;
  if (!touched || !previous) return true;
  const { running, bootDefault } = systems();
  return running === previous.running &&
    bootDefault === previous.bootDefault &&
    !startsAnother(run, previous.bootDefault);
}

/** Where no system ran before, one that is not well is left as it is. */
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

/** What a later run must know, beside how it went. */
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
      if (error.next === "hold") {
        return { holds: withHold(holds, holdFor(run, error)) };
      }
      return error.next === "retry" ? { backoff: backoffFor(run, error) } : {};
    }
    case "deployed":
      return acceptedAfter(run);
    default:
      return {};
  }
}

/** What a person allowed once is used up by the deployment that it allowed. */
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
