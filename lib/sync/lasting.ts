/**
 * Lasting conditions of this host: each is reported once when it begins and once
 * when it ends. There is one function for each kind; a new kind is a new line in
 * {@linkcode finders}.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import type { Config } from "../config/schema.ts";
import { changedSinceBoot } from "../host/booted.ts";
import { systems } from "../host/system.ts";
import { nameOf, stampOf } from "../notify/notice.ts";
import { type Found, tellFound, warnOnFailure } from "../notify/tell.ts";
import type { Condition } from "../notify/told.ts";
import { driftNow } from "../run/decide.ts";
import { wantedOf } from "../run/approval.ts";
import { askedClosed, closedNames, gatedNow } from "../run/gates.ts";
import { misledOf } from "../run/misled.ts";
import { runningTest } from "../run/testing.ts";
import { type Alerts, readAlerts } from "../state/alerts.ts";
import { readHistory } from "../state/history.ts";
import type { State } from "../state/state.ts";
import { readState } from "../state/state_file.ts";
import { readSuspension, type Suspension } from "../state/suspension.ts";
import { slotKeptIn, slotWantedIn } from "./lasting_slots.ts";
import type { Outcome } from "./outcome.ts";
import { dueReboot } from "./reboot.ts";

/** The facts about the host and the run. */
interface Facts {
  config: Config;
  now: Date;
  alerts: Alerts;
  /** Missing if it cannot be read. */
  state?: State;
  /** `null`: there is none. */
  suspension?: Suspension | null;
  outcome?: Outcome;
  /** Why the run has no outcome. */
  error?: SyncError;
}

/** Reports, after a run, what has begun and what is over. */
export async function tellLasting(
  effects: Effects,
  config: Config,
  how: { outcome: Outcome } | { error: SyncError },
): Promise<void> {
  const teller = { effects, config };
  await warnOnFailure(teller, async () => {
    const facts = { ...await factsOf(config, effects.now()), ...how };
    await tellFound(teller, foundIn(facts));
  });
}

async function factsOf(config: Config, now: Date): Promise<Facts> {
  const folder = config.stateDirectory;
  const state = await orNothing(() => readState(folder));
  const suspension = await orNothing(() => readSuspension(folder, now) ?? null);
  return {
    config,
    now,
    alerts: readAlerts(folder),
    ...(state === undefined ? {} : { state }),
    ...(suspension === undefined ? {} : { suspension }),
  };
}

async function orNothing<T>(
  read: () => T | Promise<T>,
): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof SyncError) return undefined;
    throw error;
  }
}

/** A condition, none, or unknown. */
type Answer = Condition | undefined | "unknown";

/** By the first word of the condition's key. */
const finders: Readonly<Record<string, (facts: Facts) => Answer>> = {
  fault: faultIn,
  broken: brokenIn,
  silence: silenceIn,
  drift: driftIn,
  reboot: rebootIn,
  suspended: suspendedIn,
  approval: approvalIn,
  gates: gatesIn,
  "slot-wanted": ({ state }) => slotWantedIn(state),
  "slot-kept": ({ state }) => slotKeptIn(state),
};

function foundIn(facts: Facts): Found {
  const answers = Object.entries(finders)
    .map(([kind, find]) => [kind, find(facts)] as const);
  const unknown = answers.filter(([, answer]) => answer === "unknown")
    .map(([kind]) => kind);
  const conditions = answers.flatMap(([, answer]) =>
    answer === undefined || answer === "unknown" ? [] : [answer]
  );
  const reboot = rebootDone(facts);
  return {
    conditions,
    isKnown: (key) => !unknown.includes(key.split(" ")[0]!),
    ...(reboot ? { reboot } : {}),
  };
}

function faultIn({ config, alerts: { fault }, state, outcome }: Facts): Answer {
  // This fault is worse, and reported separately.
  if (fault?.isBroken) return "unknown";
  if (!fault) return undefined;
  const { stage, reason, message, revision, since } = fault;
  // A run that only found the hold did not fail just now.
  const isHeld = outcome?.result === "held";
  const where = revision === undefined ? "" : ` (${nameOf(revision)})`;
  return {
    key: `fault ${since}`,
    since: new Date(since),
    parts: {
      event: isHeld ? "held" : "failed",
      severity: "error",
      summary: isHeld
        ? `blocked${where}: failed at ${stage}: ${reason}`
        : `failed at ${stage}: ${reason}${where}`,
      stage,
      reason,
      message,
      ...aboutRevision(config, state, revision),
    },
  };
}

function brokenIn({ config, alerts: { fault }, state }: Facts): Answer {
  if (!fault?.isBroken) return undefined;
  const { stage, reason, message, revision, since } = fault;
  return {
    key: `broken ${since}`,
    since: new Date(since),
    parts: {
      event: "needs-person",
      severity: "critical",
      summary: `manual action is needed: ${reason} at ${stage}`,
      stage,
      reason,
      message,
      ...aboutRevision(config, state, revision),
    },
  };
}

/** Returns what is known of the commit, and what a person can do. */
function aboutRevision(
  config: Config,
  state: State | undefined,
  revision: string | undefined,
): Partial<Condition["parts"]> {
  if (revision === undefined) return {};
  const entry = readHistory(config.stateDirectory)
    .findLast((one) => one.revision === revision);
  const { subject, author, system, exit } = entry ?? {};
  const last = state?.last;
  const hints = last?.revision === revision ? last.hints : [];
  return {
    revision,
    ...(subject ? { subject } : {}),
    ...(author ? { author } : {}),
    ...(system === undefined ? {} : { system }),
    ...(exit === undefined ? {} : { exit }),
    ...(hints.length === 0 ? {} : { hints }),
  };
}

function silenceIn({ alerts: { silence }, outcome, error }: Facts): Answer {
  if (!silence?.isTold) return undefined;
  const why = outcome?.result === "failed" ? outcome.error : error;
  return {
    key: `silence ${silence.since}`,
    since: new Date(silence.since),
    parts: {
      event: "unreachable",
      severity: "error",
      summary: "the repository does not answer",
      ...(why?.stage === "decide"
        ? { stage: why.stage, reason: why.reason, message: why.message }
        : {}),
    },
  };
}

function driftIn({ state, outcome, now }: Facts): Answer {
  // During a boot or a rollback, the state is not final.
  if (!state || state.attempt || outcome?.result === "starting") {
    return "unknown";
  }
  const { misled } = misledOf(state.lastGood);
  const drift = driftNow({
    state,
    systems: systems(),
    ...misled ? { misled } : {},
  });
  if (!drift) return undefined;
  const { what, expected, actual } = drift;
  return {
    key: "drift",
    since: now,
    parts: {
      event: "drift",
      severity: "warning",
      summary: `changed by hand: the ${what}`,
      message: `The ${what} is ${
        actual ?? "none"
      }, and ${expected} was deployed`,
    },
  };
}

function rebootIn({ config, state, outcome, now }: Facts): Answer {
  if (!state || outcome?.result === "starting") return "unknown";
  const { lastGood } = state;
  if (!lastGood || lastGood.target.operation === "test") return undefined;
  const due = config.reboot === "never"
    ? { why: changedSinceBoot(lastGood.system), opening: null }
    : dueReboot(config, state, now);
  if (!due || due.why.length === 0) return rebootUnclear(state);
  // This run reboots the host.
  if (due.opening === undefined) return "unknown";
  const { revision, subject, system } = lastGood;
  const when = due.opening ? `, from ${due.opening} on` : "";
  return {
    // The same one, whatever is deployed until then.
    key: "reboot",
    since: now,
    parts: {
      event: "reboot-due",
      severity: "warning",
      summary: `a reboot is needed: ${due.why.join(", ")}${when}`,
      revision,
      subject,
      system,
    },
  };
}

/** Drift, a test or an earlier reboot may block a reboot; the need stays. */
function rebootUnclear(state: State): "unknown" | undefined {
  const { lastGood } = state;
  const now = systems();
  const isClear = lastGood?.system === now.running &&
    !runningTest(state, now) && changedSinceBoot(lastGood.system).length === 0;
  return isClear ? undefined : "unknown";
}

function suspendedIn({ config, suspension, now }: Facts): Answer {
  if (suspension === undefined) return "unknown";
  if (suspension === null) return undefined;
  const { since, until, reason, by } = suspension;
  const begun = Date.parse(since);
  const span = config["notify.suspendedAfter"];
  if (!(now.getTime() - begun >= span)) return undefined;
  const end = until === null ? "until somebody resumes it" : `until ${until}`;
  return {
    key: `suspended ${since}`,
    since: new Date(begun),
    parts: {
      event: "suspended",
      severity: "warning",
      summary: `still suspended${by === undefined ? "" : ` by ${by}`}, ${end}`,
      ...(reason === null ? {} : { message: reason }),
      hints: ["Run `gitops-sync resume` to end the suspension."],
    },
  };
}

/** Outcomes of runs that did not check what waits. */
const saysNothing: readonly Outcome["result"][] = [
  "corrected",
  "failed",
  "interrupted",
  "outside",
  "queued",
  "rebooting",
  "rolled-back",
  "starting",
  "suspended",
  "tested",
  "test-over",
];

/** A revision that waits for a slot waits for no approval and no gate. */
function isPast(
  { outcome, state }: Facts,
  find: (state: State) => unknown,
): boolean {
  return outcome?.result === "queued" && state !== undefined &&
    find(state) === undefined;
}

/** Only a run that has queried the remote knows whether it still waits. */
function approvalIn(facts: Facts): Answer {
  const { outcome } = facts;
  if (isPast(facts, wantedOf)) return undefined;
  if (!outcome || saysNothing.includes(outcome.result)) return "unknown";
  if (outcome.result !== "unapproved" || outcome.waiting.approved) {
    return undefined;
  }
  const { waiting: { revision, subject, author, system, since }, until } =
    outcome;
  const end = until === null ? "" : `, or until ${until}`;
  return {
    key: `approval ${revision}`,
    since: new Date(since),
    parts: {
      event: "approval-wanted",
      severity: "warning",
      summary: `${
        nameOf(revision, subject)
      } is built and waits for approval${end}`,
      revision,
      subject,
      author,
      system,
      hints: [
        `Run \`gitops-sync approve ${revision}\` to deploy it, or \`gitops-sync reject ${revision}\` to block it.`,
      ],
    },
  };
}

/**
 * Reports gates that stay closed for long. A soak takes the configured time, so
 * it is not reported.
 */
function gatesIn(facts: Facts): Answer {
  const { config, outcome, now } = facts;
  if (isPast(facts, gatedNow)) return undefined;
  if (!outcome || saysNothing.includes(outcome.result)) return "unknown";
  if (outcome.result !== "gated") return undefined;
  const { gated } = outcome;
  const { revision, subject, author, system } = gated;
  const closed = askedClosed(gated).filter(({ name }) => name !== "soak");
  const since = Math.min(...closed.map(({ since }) => Date.parse(since)));
  if (!(now.getTime() - since >= config["gates.tellAfter"])) return undefined;
  return {
    key: `gates ${revision}`,
    since: new Date(since),
    parts: {
      event: "gate-closed",
      severity: "warning",
      summary: `${nameOf(revision, subject)} is built and waits for ${
        closedNames({ gates: closed })
      }`,
      revision,
      subject,
      author,
      system,
      message: closed.map(({ name, why }) => `${name}: ${why}`).join("; "),
      hints: [
        "In an emergency, run `gitops-sync sync --skip-gates --reason TEXT`.",
      ],
    },
  };
}

/** Returns the last requested reboot, when its result is known. */
function rebootDone({ state }: Facts): Found["reboot"] {
  const reboot = state?.reboot;
  if (!reboot?.result) return undefined;
  const { at, revision, system, result, why } = reboot;
  const isWell = result === "well";
  return {
    at,
    parts: {
      id: `${stampOf(new Date(at))}-reboot`,
      event: "reboot-done",
      severity: isWell ? "info" : "error",
      summary: isWell
        ? `rebooted into ${nameOf(revision)}`
        : `the reboot into ${nameOf(revision)} failed`,
      message: `It was needed for: ${why.join(", ")}`,
      revision,
      system,
    },
  };
}
