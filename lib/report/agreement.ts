/**
 * Whether a host is in sync with Git, why not, and what comes next. Pure: it
 * rests on the same decision that a run would make.
 *
 * @module
 */
import { short } from "../base/text.ts";
import type { Config } from "../config/schema.ts";
import type { HistoryEntry, RolledBack } from "../state/state.ts";
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
import { holdHints } from "../run/holding.ts";
import { howOften } from "../run/how_often.ts";
import type { Gated } from "../state/state.ts";
import {
  againText,
  correctHint,
  opensText,
  rolledBackText,
  waitText,
} from "./words.ts";
import { timeAndAge, timeOf } from "./times.ts";
import { shortName } from "../run/testing.ts";
import type { Tip } from "../base/tip.ts";

/** The facts for `status`. */
export interface Facts extends LocalFacts {
  history: readonly HistoryEntry[];
  /** When the next run is. */
  nextRun?: NextRun;
  /** Why no run changes this machine, if it is not the one of `machineId`. */
  otherMachine?: string;
  /** Why the remote gave no answer. */
  unreached?: string;
  /** The parts of the last good system that differ from the booted one. */
  changed?: readonly string[];
  /** The system that was booted. */
  booted?: string | null;
}

/** The answer in words. */
export interface Verdict {
  /** `null` if unknown, because the remote did not answer. */
  agrees: boolean | null;
  /** Why they do not agree, or why that is unknown. */
  why: string;
  /** What happens or what to type, one sentence each. */
  next: string[];
}

const nothingToDo = "Nothing to do.";

/** The command that does at once what the next run would do. */
const syncNow = "Run `gitops-sync sync` to do it now.";

/** Returns what a person must know about a reboot. */
function rebootText(facts: Facts): string | undefined {
  const { state, config, changed = [], booted = null } = facts;
  if (state.reboot && !state.reboot.result) {
    return "A reboot is in progress. The next run checks that the host came up and is healthy.";
  }
  // A person who reboots by hand needs to know as well.
  const isOwn = config.reboot === "never";
  const policy = isOwn ? "when-needed" : config.reboot;
  const situation = { ...facts, config: { ...config, reboot: policy } };
  const due = rebootOf(situation, changed, booted);
  if (!due) return undefined;
  const what = `A reboot is needed (changed: ${due.why.join(", ")}).`;
  if (isOwn) {
    return `${what} gitops-sync does not reboot this host (reboot: never): run \`systemctl reboot\`.`;
  }
  return due.opening === undefined
    ? `${what} The next run reboots the host. ${syncNow}`
    : `${what} ${
      sentence(opensText(due.opening))
    } Run \`gitops-sync sync --now\` to reboot at once.`;
}

/** Names a command, other than a run, that holds the lock of runs. */
function othersText({ busy, isBusy }: Facts): string | undefined {
  return busy && !isBusy
    ? `\`gitops-sync ${busy.command}\` is running (process ${busy.pid}). No run can begin before it ends.`
    : undefined;
}

/** A clause as a sentence. */
const sentence = (clause: string) =>
  `${clause.charAt(0).toUpperCase()}${clause.slice(1)}.`;

/** Compares the running system with the tip of the ref. */
export function agreement(facts: Facts): Verdict {
  const verdict = compare(facts);
  const first = urgent(facts);
  if (first) return { ...verdict, next: first };
  const more = [
    facts.state.lastGood?.unwell ? unhealthy : undefined,
    rebootText(facts),
    othersText(facts),
  ].filter((text) => text !== undefined);
  if (more.length === 0) return verdict;
  const others = verdict.next.filter((text) => text !== nothingToDo);
  return { ...verdict, next: [...others, ...more] };
}

/** Returns what matters more than any difference. */
function urgent(facts: Facts): string[] | undefined {
  const { busy, isBusy, state: { attempt, last }, suspension } = facts;
  if (isBusy) {
    const who = busy ? `: ${busy.command}, process ${busy.pid}` : "";
    const where = attempt ? `, at the ${attempt.stage} stage` : "";
    return [`A run is in progress${who}${where}.`];
  }
  if (facts.otherMachine) return [facts.otherMachine];
  if (attempt && last?.exit === 8) {
    return [
      "Manual action is needed: the rollback failed too. Each run tries it again.",
      ...last.hints,
    ];
  }
  if (attempt) {
    return [
      `The run of ${
        short(attempt.commit.revision)
      } was interrupted at the ${attempt.stage} stage. The next run finishes or undoes it. ${syncNow}`,
    ];
  }
  if (suspension) {
    const { since, until, reason, by } = suspension;
    const end = until === null ? "" : ` until ${timeOf(until)}`;
    return [
      `Suspended${by === undefined ? "" : ` by ${by}`} since ${
        timeAndAge(since, facts.now)
      }${end}${
        reason ? ` (${reason})` : ""
      }. Run \`gitops-sync resume\` to deploy again.`,
    ];
  }
  return undefined;
}

const unhealthy =
  "Manual action is needed: the host was not healthy after a reboot, and no earlier system is left to roll back to. Each run checks it again.";

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
    ...rolledBack ? [staysText(rolledBack)] : [],
    ...drift ? [driftText(drift)] : [],
  ];
  return {
    agrees: null,
    why: why.join("; "),
    next: [
      ...rolledBack ? [resumeText(config)] : [],
      ...state.last?.stage === "decide" ? state.last.hints : [],
      "The next run queries the repository again.",
    ],
  };
}

const resumeText = ({ ref }: Pick<Config, "ref">) =>
  `Run \`gitops-sync resume\` to follow ${ref} again.`;

const staysText = (rolledBack: RolledBack) =>
  `${rolledBackText(rolledBack)}; it stays there until resume`;

function driftText(drift: NonNullable<ReturnType<typeof driftOf>>): string {
  return `somebody switched by hand: the ${drift.what} is ${
    drift.actual ?? "missing"
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
        next: [`The next run corrects it. ${syncNow}`],
      };
    case "held":
      return {
        agrees: false,
        why: `${
          short(decision.hold.revision)
        } is blocked: ${decision.hold.message}`,
        next: [...decision.hold.hints, ...holdHints(decision.hold)],
      };
    case "wait":
      return {
        agrees: false,
        why: `${short(decision.backoff.revision)} failed ${
          howOften(decision.backoff.failures)
        } with a temporary error: ${facts.state.last?.message ?? ""}`,
        next: [
          `The next run after ${
            timeOf(decision.backoff.notBefore)
          } tries it again. Run \`gitops-sync sync --now\` to try at once.`,
        ],
      };
    case "rolled-back":
      return {
        agrees: facts.state.lastGood?.revision === tip.revision,
        why: `${staysText(decision.rolledBack)}${
          decision.drift ? `; ${driftText(decision.drift)}` : ""
        }`,
        next: [resumeText(facts.config)],
      };
    case "unapproved":
      return {
        agrees: false,
        why: `${
          short(decision.waiting.revision)
        } is built and waits for approval`,
        next: [waitText(decision)],
      };
    case "gated":
      return gatedVerdict(decision.gated);
    case "queued":
      return {
        agrees: false,
        why: `${short(decision.wait.revision)} has waited for a slot since ${
          timeAndAge(decision.wait.since, facts.now)
        }: ${decision.wait.message}`,
        next: [
          "Each run tries again. Run `gitops-sync fleet locks` to see who holds the slots.",
        ],
      };
    case "test": {
      const { name, revision } = decision.tip;
      return {
        agrees: false,
        why: `the testing branch ${shortName(name)} is at ${
          short(revision)
        }, which is not deployed yet`,
        next: [
          `The next run deploys it as a test, until the next reboot. ${syncNow}`,
        ],
      };
    }
    case "test-over":
      return {
        agrees: false,
        why:
          `the test is over: its branch is missing, merged, switched off, or not based on ${facts.config.ref}`,
        next: [
          `The next run returns to ${
            short(decision.deployment.revision)
          }. ${syncNow}`,
        ],
      };
    case "outside":
      return {
        agrees: false,
        why: decision.drift
          ? driftText(decision.drift)
          : `${
            decision.revision ? short(decision.revision) : to
          } waits for a deployment window`,
        next: [
          `${
            sentence(opensText(decision.opening))
          } Run \`gitops-sync sync --now\` to deploy at once.`,
        ],
      };
    case "deploy":
      return {
        agrees: false,
        why: undeployed(facts, decision.tip ?? tip),
        next: [`The next run deploys it. ${syncNow}`],
      };
  }
}

function gatedVerdict(gated: Gated): Verdict {
  return {
    agrees: false,
    why: `${short(gated.revision)} is built and waits for ${
      closedNames(gated)
    }`,
    next: [
      againText(gated),
      "In an emergency, run `gitops-sync sync --skip-gates --reason TEXT`.",
    ],
  };
}

/** Returns why a run would deploy the tip. */
function undeployed({ config, state: { lastGood } }: Facts, tip: Tip): string {
  if (!lastGood) return "nothing is deployed on this host yet";
  const to = short(tip.revision);
  if (lastGood.revision !== tip.revision) return `${to} is not deployed yet`;
  const now = targetOf(config);
  const other = Object.entries(lastGood.target).filter(([key, value]) =>
    now[key as keyof typeof now] !== value
  ).map(([key]) => key);
  return `${to} was deployed with another configuration: ${other.join(", ")}`;
}
