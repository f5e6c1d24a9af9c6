/**
 * Whether a host and Git agree, why not, and what comes next: pure, from the
 * same decision that a run would make.
 *
 * @module
 */
import { count, short } from "../base/text.ts";
import type { Config } from "../config/schema.ts";
import type { HistoryEntry } from "../state/state.ts";
import type { NextRun } from "../host/next_run.ts";
import type { LocalFacts } from "./host_facts.ts";
import {
  type Decision,
  driftNow,
  type driftOf,
  rebootOf,
  rolledBackOf,
  targetOf,
} from "../run/decide.ts";
import { decisionOf } from "../run/host_state.ts";
import { closedNames } from "../run/gates.ts";
import type { Gated } from "../state/state.ts";
import {
  againText,
  correctHint,
  holdHints,
  opensText,
  rolledBackText,
  waitText,
} from "./words.ts";
import { timeAndAge, timeOf } from "./times.ts";
import { shortName } from "../run/testing.ts";
import type { Tip } from "../base/tip.ts";

/** Everything that status rests on. */
export interface Facts extends LocalFacts {
  history: readonly HistoryEntry[];
  /** When the next run is. */
  nextRun?: NextRun;
  /** Why no run changes this machine, where it is not that of `machineId`. */
  otherMachine?: string;
  /** Why the remote says nothing now. */
  unreached?: string;
  /** What of the last good system is not what was booted, in words. */
  changed?: readonly string[];
  /** The system that was booted. */
  booted?: string | null;
}

/** The answer in words. */
export interface Verdict {
  /** `null`: it can't be told without the remote. */
  agrees: boolean | null;
  /** Why they do not agree, or why it can't be told. */
  why: string;
  /** What happens or what to type, one sentence each. */
  next: string[];
}

const nothingToDo = "nothing to do";

/** What is to be said of a reboot. */
function rebootText(facts: Facts): string | undefined {
  const { state, config, changed = [], booted = null } = facts;
  if (state.reboot && !state.reboot.result) {
    return "a reboot was begun; the next run looks whether the host came up and is well";
  }
  // Whether it is needed matters to a person who does it, too.
  const isOwn = config.reboot === "never";
  const policy = isOwn ? "when-needed" : config.reboot;
  const situation = { ...facts, config: { ...config, reboot: policy } };
  const due = rebootOf(situation, changed, booted);
  if (!due) return undefined;
  const what = `a reboot is due (changed: ${due.why.join(", ")})`;
  if (isOwn) return `${what}, and left to you: systemctl reboot`;
  return due.opening === undefined
    ? `${what}; the next run begins it: gitops-sync sync`
    : `${what}; ${
      opensText(due.opening)
    }; gitops-sync sync --now does not wait for it`;
}

/** Another command than a run has the lock, and a run would find it taken. */
function othersText({ busy, isBusy }: Facts): string | undefined {
  return busy && !isBusy
    ? `gitops-sync ${busy.command} is at work (process ${busy.pid}): a run can't begin before it is over`
    : undefined;
}

/** Compares what runs with what Git says. */
export function agreement(facts: Facts): Verdict {
  const verdict = compare(facts);
  const first = urgent(facts);
  if (first) return { ...verdict, next: first };
  const more = [
    facts.state.lastGood?.unwell ? unwell : undefined,
    rebootText(facts),
    othersText(facts),
  ].filter((text) => text !== undefined);
  if (more.length === 0) return verdict;
  const others = verdict.next.filter((text) => text !== nothingToDo);
  return { ...verdict, next: [...others, ...more] };
}

/** What is more important than any difference. */
function urgent(facts: Facts): string[] | undefined {
  const { busy, isBusy, state: { attempt, last }, suspension } = facts;
  if (isBusy) {
    const who = busy ? `: ${busy.command}, process ${busy.pid}` : "";
    const where = attempt ? `, at the ${attempt.stage} stage` : "";
    return [`a run is under way${who}${where}`];
  }
  if (facts.otherMachine) return [facts.otherMachine];
  if (attempt && last?.exit === 8) {
    return [
      "this host needs a person: the way back failed too; each run tries it again",
      ...last.hints,
    ];
  }
  if (attempt) {
    return [
      `the run of ${
        short(attempt.commit.revision)
      } was cut off at the ${attempt.stage} stage; the next run finishes or undoes it: gitops-sync sync`,
    ];
  }
  if (suspension) {
    const { since, until, reason, by } = suspension;
    const end = until === null ? "" : ` until ${timeOf(until)}`;
    return [
      `suspended${by === undefined ? "" : ` by ${by}`} since ${
        timeAndAge(since, facts.now)
      }${end}${reason ? ` (${reason})` : ""}; gitops-sync resume ends it`,
    ];
  }
  return undefined;
}

const unwell =
  "this host needs a person: it did not come up well after a reboot, and has no way back; each run looks again";

function compare(facts: Facts): Verdict {
  const { tip } = facts;
  return tip
    ? verdictOf(decisionOf(facts, tip), facts, tip)
    : withoutTip(facts);
}

function withoutTip(
  { config, state, systems, misled, unreached = "" }: Facts,
): Verdict {
  const drift = driftNow({ state, systems, ...misled ? { misled } : {} });
  const rolledBack = rolledBackOf(state);
  const why = [
    unreached,
    ...rolledBack ? [`${rolledBackText(rolledBack)}, and it stays there`] : [],
    ...drift ? [driftText(drift)] : [],
  ];
  return {
    agrees: null,
    why: why.join("; "),
    next: [
      ...rolledBack ? [resumeText(config)] : [],
      ...state.last?.stage === "decide" ? state.last.hints : [],
      "the next run asks again",
    ],
  };
}

const resumeText = ({ ref }: Pick<Config, "ref">) =>
  `gitops-sync resume follows ${ref} again`;

function driftText(drift: NonNullable<ReturnType<typeof driftOf>>): string {
  return `somebody switched by hand: the ${drift.what} is ${
    drift.actual ?? "gone"
  }`;
}

function verdictOf(decision: Decision, facts: Facts, tip: Tip): Verdict {
  const to = short(tip.revision);
  switch (decision.kind) {
    case "nothing":
      return decision.drift
        ? { agrees: false, why: driftText(decision.drift), next: [correctHint] }
        : { agrees: true, why: "", next: [nothingToDo] };
    case "correct":
      return {
        agrees: false,
        why: driftText(decision.drift),
        next: ["the next run corrects it: gitops-sync sync"],
      };
    case "held":
      return {
        agrees: false,
        why: `${
          short(decision.hold.revision)
        } is held: ${decision.hold.message}`,
        next: [...decision.hold.hints, ...holdHints(decision.hold)],
      };
    case "wait":
      return {
        agrees: false,
        why: `${short(decision.backoff.revision)} failed ${
          count(decision.backoff.failures, "time")
        } for what may pass: ${facts.state.last?.message ?? ""}`,
        next: [
          `it is tried again after ${
            timeOf(decision.backoff.notBefore)
          }; gitops-sync sync --now tries at once`,
        ],
      };
    case "rolled-back":
      return {
        agrees: facts.state.lastGood?.revision === tip.revision,
        why: `${rolledBackText(decision.rolledBack)}, and it stays there${
          decision.drift ? `; ${driftText(decision.drift)}` : ""
        }`,
        next: [resumeText(facts.config)],
      };
    case "unapproved":
      return {
        agrees: false,
        why: `${
          short(decision.waiting.revision)
        } is built, and waits for approval`,
        next: [waitText(decision)],
      };
    case "gated":
      return gatedVerdict(decision.gated);
    case "queued":
      return {
        agrees: false,
        why: `${short(decision.wait.revision)} waits for a slot since ${
          timeAndAge(decision.wait.since, facts.now)
        }: ${decision.wait.message}`,
        next: [
          "each run asks again; gitops-sync fleet locks tells who holds the slots",
        ],
      };
    case "test": {
      const { name, revision } = decision.tip;
      return {
        agrees: false,
        why: `${shortName(name)} is at ${
          short(revision)
        }, which was not tried out yet`,
        next: ["the next run tries it out: gitops-sync sync"],
      };
    }
    case "test-over":
      return {
        agrees: false,
        why: "what is tried out no longer belongs on top of what is followed",
        next: [
          `the next run goes back to ${
            short(decision.deployment.revision)
          }: gitops-sync sync`,
        ],
      };
    case "outside":
      return {
        agrees: false,
        why: decision.drift
          ? driftText(decision.drift)
          : `${
            decision.revision ? short(decision.revision) : to
          } waits for a window`,
        next: [
          `${
            opensText(decision.opening)
          }; gitops-sync sync --now does not wait for it`,
        ],
      };
    case "deploy":
      return {
        agrees: false,
        why: undeployed(facts, decision.tip ?? tip),
        next: ["the next run deploys it: gitops-sync sync"],
      };
  }
}

function gatedVerdict(gated: Gated): Verdict {
  return {
    agrees: false,
    why: `${short(gated.revision)} is built, and waits for ${
      closedNames(gated)
    }`,
    next: [
      againText(gated),
      "gitops-sync sync --skip-gates --reason TEXT deploys it all the same",
    ],
  };
}

/** Why a run would deploy the tip. */
function undeployed({ config, state: { lastGood } }: Facts, tip: Tip): string {
  if (!lastGood) return "nothing was deployed here yet";
  const to = short(tip.revision);
  if (lastGood.revision !== tip.revision) return `${to} is not deployed yet`;
  const now = targetOf(config);
  const other = Object.entries(lastGood.target).filter(([key, value]) =>
    now[key as keyof typeof now] !== value
  ).map(([key]) => key);
  return `${to} was deployed with another configuration: ${other.join(", ")}`;
}
