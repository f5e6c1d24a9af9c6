/**
 * What would keep a sync from changing this host now. A plan shows all of it at
 * once, where a run ends at the first.
 *
 * @module
 */
import { SyncError } from "../base/errors.ts";
import type { Config } from "../config/schema.ts";
import { short } from "../base/text.ts";
import type { Holder } from "../host/lock.ts";
import { type Decision, type Opening, openingOf } from "../run/decide.ts";
import type { Suspension } from "../state/suspension.ts";

/** One thing that stops a sync. */
export interface Stop {
  /** A stable name in kebab-case. */
  what: string;
  /** One sentence. */
  text: string;
  /** What a person can do, one sentence each. */
  hints: readonly string[];
  /** When it ends by itself, where that is known: ISO 8601. */
  until?: string;
}

/** What is looked at. */
export interface StopFacts {
  config: Config;
  now: Date;
  /** What a run decides where no window is closed. */
  decision: Decision;
  suspension: Suspension | undefined;
  /** The run under way. */
  busy: Holder | undefined;
  /** Why a deployment can't begin, or can't end: of the host, not the revision. */
  refusals: readonly SyncError[];
}

type Look = (facts: StopFacts) => readonly Stop[];

/**
 * All looks, in the order in which a run meets them. What else stops a run (an
 * approval that is missing, a gate of the fleet that is closed) is one more.
 */
const looks: readonly Look[] = [
  runUnderWay,
  suspended,
  held,
  pausing,
  outsideWindow,
  refused,
];

/** Everything that stops a sync now. */
export function stopsOf(facts: StopFacts): Stop[] {
  return looks.flatMap((look) => look(facts));
}

function runUnderWay({ busy }: StopFacts): Stop[] {
  if (!busy) return [];
  const { command, pid } = busy;
  return [{
    what: "run-under-way",
    text:
      `a run is under way (${command}, process ${pid}), and this host may change while you read this`,
    hints: ["gitops-sync status tells when it is over"],
  }];
}

function suspended({ suspension }: StopFacts): Stop[] {
  if (!suspension) return [];
  const { until, reason } = suspension;
  return [{
    what: "suspended",
    text: `this host is suspended${reason ? ` (${reason})` : ""}`,
    hints: ["gitops-sync resume ends it"],
    ...until === null ? {} : { until },
  }];
}

function held({ decision }: StopFacts): Stop[] {
  if (decision.kind !== "held") return [];
  const { revision, message, since, stage } = decision.hold;
  return [{
    what: "held",
    text: `${short(revision)} is held since ${
      since.slice(0, 10)
    }, at the ${stage} stage: ${message}`,
    hints: [
      "gitops-sync retry tries it again; a new commit is picked up by itself",
    ],
  }];
}

function pausing({ decision }: StopFacts): Stop[] {
  if (decision.kind !== "wait") return [];
  const { failures, notBefore } = decision.backoff;
  return [{
    what: "pause",
    text: `it failed ${failures} times for what may pass by itself`,
    hints: ["gitops-sync sync --now tries at once"],
    until: notBefore,
  }];
}

function outsideWindow({ config, now }: StopFacts): Stop[] {
  if (config.operation === "build") return [];
  const opening: Opening | undefined = openingOf(config["windows.deploy"], now);
  if (opening === undefined) return [];
  return [{
    what: "window",
    text: opening === null
      ? "no window is open (windows.deploy), and none opens within two weeks"
      : "no window is open (windows.deploy)",
    hints: ["gitops-sync sync --now does not wait for one"],
    ...opening === null ? {} : { until: opening },
  }];
}

function refused({ refusals }: StopFacts): Stop[] {
  return refusals.map(({ reason, message, hints }) => ({
    what: reason,
    text: message,
    hints,
  }));
}
