/**
 * Everything that would stop a sync from changing this host now. A run ends at
 * the first of them; this is the only list of all.
 *
 * @module
 */
import { SyncError } from "../base/errors.ts";
import { short } from "../base/text.ts";
import type { Config } from "../config/schema.ts";
import type { Holder } from "../host/lock.ts";
import type { State, Target } from "../state/state.ts";
import { waitFor } from "./approval.ts";
import { type Decision, type Opening, openingOf } from "./decide.ts";
import { gatedFor, gateNames, type GateOptions, unasked } from "./gates.ts";
import { howOften } from "./how_often.ts";
import { holdHints } from "./holding.ts";
import { rolledBackBy } from "./rolled_back.ts";
import { slotWaitOf } from "./slot.ts";
import type { Known } from "./same.ts";
import { sightingOf, soakEnd } from "./soak.ts";
import type { Suspension } from "../state/suspension.ts";

/** One thing that stops a sync. */
export interface Stop {
  /** A stable name in kebab-case. */
  what: string;
  /** One sentence. */
  text: string;
  /** What a person can do, one sentence each. */
  hints: readonly string[];
  /** When it ends by itself, if known: ISO 8601. */
  until?: string;
}

/** The facts for the list. */
export interface StopFacts {
  config:
    & Pick<Config, "operation" | "windows.deploy" | "approval">
    & GateOptions;
  now: Date;
  state: Pick<State, "waiting" | "gated" | "sightings" | "slotWait">;
  /** What a sync would deploy, and its system if known. */
  commit: Known;
  target: Target;
  system?: string;
  /** What a run decides without regard to windows. */
  decision: Decision;
  suspension: Suspension | undefined;
  /** The run in progress. */
  busy: Holder | undefined;
  /** Problems of the host, not of the revision, that stop a deployment. */
  refusals: readonly SyncError[];
}

type Look = (facts: StopFacts) => readonly Stop[];

/** All checks, in the order of a run. */
const looks: readonly Look[] = [
  runUnderWay,
  suspended,
  rolledBack,
  held,
  pausing,
  unapproved,
  outsideWindow,
  gated,
  withoutSlot,
  refused,
];

/** Returns everything that stops a sync now. */
export function stopsOf(facts: StopFacts): Stop[] {
  return looks.flatMap((look) => look(facts));
}

function runUnderWay({ busy }: StopFacts): Stop[] {
  if (!busy) return [];
  const { command, pid } = busy;
  return [{
    what: "run-under-way",
    text:
      `a run is in progress (${command}, process ${pid}); this host may change while you read this`,
    hints: ["Run `gitops-sync status` to see whether it has ended."],
  }];
}

function suspended({ suspension }: StopFacts): Stop[] {
  if (!suspension) return [];
  const { until, reason } = suspension;
  return [{
    what: "suspended",
    text: `deployments are suspended${reason ? ` (${reason})` : ""}`,
    hints: ["Run `gitops-sync resume` to end the suspension."],
    ...until === null ? {} : { until },
  }];
}

function rolledBack({ decision }: StopFacts): Stop[] {
  if (decision.kind !== "rolled-back") return [];
  const { rolledBack } = decision;
  const when = ` on ${rolledBack.at.slice(0, 10)}`;
  return [{
    what: "rolled-back",
    text: `${rolledBackBy(rolledBack, when)}; it stays there until resume`,
    hints: ["Run `gitops-sync resume` to follow Git again."],
  }];
}

function held({ decision }: StopFacts): Stop[] {
  if (decision.kind !== "held") return [];
  const { hold } = decision;
  const { revision, message, since, stage } = hold;
  return [{
    what: "held",
    text: `${short(revision)} has been blocked since ${
      since.slice(0, 10)
    }, at the ${stage} stage: ${message}`,
    hints: holdHints(hold),
  }];
}

function pausing({ decision }: StopFacts): Stop[] {
  if (decision.kind !== "wait") return [];
  const { failures, notBefore } = decision.backoff;
  return [{
    what: "pause",
    text: `it failed ${howOften(failures)} with a temporary error`,
    hints: ["Run `gitops-sync sync --now` to try again at once."],
    until: notBefore,
  }];
}

/** Whether the decision deploys nothing new. */
const putsBack = ({ kind }: Decision) =>
  ["nothing", "correct", "test-over"].includes(kind);

/** Only a new revision needs approval; a restored one does not. */
function unapproved(facts: StopFacts): Stop[] {
  const { config, state, commit, target, now, system, decision } = facts;
  const wait = putsBack(decision)
    ? undefined
    : waitFor(config, state, commit, target, now, system);
  if (!wait) return [];
  const revision = short(commit.revision);
  const { waiting, until } = wait;
  return [{
    what: "unapproved",
    text: waiting
      ? `${revision} waits for approval`
      : `${revision} waits for approval after a run has built it`,
    hints: [
      waiting
        ? `Run \`gitops-sync approve ${revision}\` to deploy it with the next run.`
        : `Run \`gitops-sync approve ${revision}\` after a run has built it.`,
    ],
    ...waiting && until !== null ? { until } : {},
  }];
}

function outsideWindow({ config, now }: StopFacts): Stop[] {
  if (config.operation === "build") return [];
  const opening: Opening | undefined = openingOf(config["windows.deploy"], now);
  if (opening === undefined) return [];
  return [{
    what: "window",
    text: opening === null
      ? "no deployment window is open (windows.deploy), and none opens within two weeks"
      : "no deployment window is open (windows.deploy)",
    hints: ["Run `gitops-sync sync --now` to deploy without a window."],
    ...opening === null ? {} : { until: opening },
  }];
}

/**
 * Returns the gates that were found closed; it queries no server. The clock tells
 * whether a revision has soaked. Only a new revision passes gates.
 */
function gated(facts: StopFacts): Stop[] {
  const { config, state, commit, target, now, decision } = facts;
  const isTest = decision.kind === "test" ||
    decision.kind === "gated" && decision.tip.base !== undefined;
  if (putsBack(decision) || target.operation === "build") return [];
  const known = gatedFor(config, state, commit, target, isTest);
  const { revision } = commit;
  // What waits for a slot has passed its gates.
  if (!known && slotWaitOf(state, revision)) return [];
  return gateNames(config, isTest).flatMap((name) => {
    const found = known?.gates.find((one) => one.name === name);
    const soak = config["gates.soak"];
    if (name === "soak") {
      const sighting = sightingOf(state, revision);
      const end = sighting && soakEnd(sighting, soak!);
      if (end !== undefined && end <= now.getTime()) return [];
      return [
        stopOf(name, `${short(revision)} has not soaked for long enough`, end),
      ];
    }
    if (found?.isOpen) return [];
    const isAsked = found && found.why !== unasked;
    return [
      stopOf(
        name,
        isAsked
          ? `the gate ${name} is closed: ${found.why}`
          : `the gate ${name} is checked after ${short(revision)} is built`,
      ),
    ];
  });
}

function stopOf(name: string, text: string, end?: number): Stop {
  return {
    what: `gate-${name.split(" ")[0]}`,
    text,
    hints: name === "soak"
      ? ["Run `gitops-sync sync --now` to deploy it at once."]
      : [
        "In an emergency, run `gitops-sync sync --skip-gates --reason TEXT`.",
      ],
    ...end === undefined ? {} : { until: new Date(end).toISOString() },
  };
}

/** Returns what the last run found: another request could take a slot. */
function withoutSlot({ state, commit }: StopFacts): Stop[] {
  const wait = slotWaitOf(state, commit.revision);
  if (!wait) return [];
  return [{
    what: wait.reason,
    text: `it has waited for a slot since ${
      wait.since.slice(0, 10)
    }: ${wait.message}`,
    hints: [
      "Run `gitops-sync fleet locks` to see who holds the slots. Each run tries again.",
    ],
  }];
}

function refused({ refusals }: StopFacts): Stop[] {
  return refusals.map(({ reason, message, hints }) => ({
    what: reason,
    text: message,
    hints,
  }));
}
