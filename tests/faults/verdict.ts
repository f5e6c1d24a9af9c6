/**
 * What counts as bad.
 *
 * @module
 */
import type { Facts, System } from "./facts.ts";

/** Which revisions are good: a system of any other must not stay. */
export type Good = ReadonlySet<string>;

/** The ways in which a host can be bad. */
export const badness = {
  "boot default": "a reboot would start a bad system, or none",
  unhealthy:
    "a bad system runs, or a unit has failed, and nothing is going to put that right",
  missing:
    "a unit that the running system wants does not run, and nobody was told",
  "no next run":
    "the timer that brings the next commit does not come again, and nobody was told",
  unguarded:
    "another system runs than a reboot would start, and nothing is going to decide about it",
  "no way back":
    "the dead-man's switch alone, or a reboot, did not bring a good system, or the way back has no switch of its own",
  unreadable: "the state or the history can't be read",
  "not in the history": "the state tells an outcome that the history lacks",
  "wrong stage": "the journal names another stage than the host shows",
  "never ended": "a run did not end within two minutes",
  "a stack": "a fault of the host is told as a bug, with a stack",
  "held wrongly": "a good revision is held for what the host did",
  "trial broke": "the campaign itself could not go on",
  unexplained: "`status` does not say what happened, or says it wrongly",
  "not healed":
    "with the cause gone, the next run does not end, or a good commit later the host is not in sync",
} as const;

/** One of them. */
export type Bad = keyof typeof badness;

/** What a person was told, and what is still to come. */
export interface Circumstances {
  /** Whether the program ended with 8, "needs a person", and what it wrote. */
  help?: { said: string };
  /** `true`: another good system than the boot default may run. */
  mayDiffer?: boolean;
  /** How many switches there had been when the run began. */
  since?: number;
}

/** Judges a host right after a fault, before anybody helps. */
export function judge(
  facts: Facts,
  good: Good,
  { help, mayDiffer = false, since = 0 }: Circumstances = {},
): Bad[] {
  const { running, profile, entry, guard, attempt } = facts;
  const isGood = (system: System | null) =>
    system !== null && system.revision !== null && good.has(system.revision);
  // Nothing but an armed timer counts, and only if it starts a good system.
  // Without systemd there is none, and the next run has the journal.
  const comesBack = facts.hasSystemd ? isGood(guard) : attempt !== null;
  const bad: Bad[] = [];
  if (!isGood(entry)) bad.push("boot default");
  // Where the two differ, the entry counts, and a run has yet to end.
  if (!isGood(profile) && !(isGood(entry) && attempt)) bad.push("boot default");
  const isUnwell = !isGood(running) || facts.failedUnits.length > 0;
  const isTold = isUnwell || facts.missingUnits.length > 0
    ? help !== undefined && namesAll(facts, help.said)
    : help !== undefined;
  const isExcused = comesBack || isTold;
  if (isUnwell && !isExcused) bad.push("unhealthy");
  const others = { ...facts, isExcused: isExcused || isUnwell };
  if (others.missingUnits.length > 0 && !others.isExcused) bad.push("missing");
  if (!others.comesAgain && !others.isExcused) bad.push("no next run");
  const differs = running?.path !== entry?.path && !mayDiffer;
  if (differs && !others.isExcused) bad.push("unguarded");
  if (!facts.isReadable) bad.push("unreadable");
  if (!facts.isInHistory) bad.push("not in the history");
  if (!isStageTrue(facts, since)) bad.push("wrong stage");
  // Who is called is told that systemd could not be asked.
  if (!help && !isRearmed(facts, since)) bad.push("no way back");
  return [...new Set(bad)];
}

/** A person who is called is told of each unit, or why none can be named. */
function namesAll(facts: Facts, said: string): boolean {
  const isBlind =
    /systemd does not|systemd could not|Cannot look at|Cannot read the state/
      .test(
        said,
      );
  return isBlind ||
    [...facts.failedUnits, ...facts.missingUnits].every((name) =>
      said.includes(name)
    );
}

/** The journal is written before the stage's work, so the work proves it. */
function isStageTrue({ attempt, calls: all }: Facts, since: number): boolean {
  if (!attempt || attempt.undoing) return true;
  // A boot forgets them.
  const calls = all.length < since ? all : all.slice(since);
  const { stage, revision } = attempt;
  const isSet = calls.includes(`boot ${revision}`);
  const isRun = calls.includes(`test ${revision}`);
  if (isSet && stage !== "confirm") return false;
  return !isRun || ["activate", "health", "confirm"].includes(stage);
}

/** The way back has a switch of its own, that is armed before it switches. */
function isRearmed(facts: Facts, since: number): boolean {
  const { attempt, calls, guardSince, activatedAt } = facts;
  if (!attempt?.undoing || guardSince === null || !activatedAt) return true;
  const tests = calls.slice(since).filter((call) => call.startsWith("test "));
  const own = tests.indexOf(`test ${attempt.revision}`);
  const isUnderWay = own >= 0 && own < tests.length - 1;
  return !isUnderWay || guardSince > activatedAt;
}

/** Whether a host is in order with a revision: it runs it and boots it. */
export function isInOrder(facts: Facts, revision: string): boolean {
  const { running, profile, entry, failedUnits, missingUnits } = facts;
  return [running, profile, entry].every((one) => one?.revision === revision) &&
    failedUnits.length + missingUnits.length === 0 &&
    facts.guard === null && facts.attempt === null &&
    facts.isReadable && facts.isInHistory && facts.comesAgain;
}
