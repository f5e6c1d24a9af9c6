/**
 * The status in words, for people.
 *
 * @module
 */
import { count, oneLine, short } from "../base/text.ts";
import { isPattern } from "../config/tag_pattern.ts";
import type { Commit, Deployment, LastAttempt } from "../state/state.ts";
import type { Slot } from "../state/slot.ts";
import type { NextRun } from "../host/next_run.ts";
import { isAttempt } from "../state/history.ts";
import type { Facts, Verdict } from "./agreement.ts";
import { formatDuration } from "../base/duration.ts";
import { exitCodes } from "../base/errors.ts";
import { decisionOf, type HostState, hostStateOf } from "../run/host_state.ts";
import { inks, type Row } from "./row.ts";
import { ageOf, timeAndAge } from "./times.ts";
import { gatedNow } from "../run/gates.ts";
import { runningTest, shortName } from "../run/testing.ts";
import { describe, signedText } from "../run/commit.ts";

/** The deployment whose system is this one, if it was deployed here. */
export function deploymentOf(
  { state }: Facts,
  system: string | null,
): Deployment | undefined {
  const { lastGood, earlier, testing } = state;
  return [
    ...lastGood ? [lastGood] : [],
    ...testing?.deployment ? [testing.deployment] : [],
    ...earlier,
  ]
    .find((one) => one.system === system);
}

/** Returns the rows of `status`. */
export function statusRows(facts: Facts, verdict: Verdict): Row[] {
  const { config, systems, now } = facts;
  const { running, bootDefault } = systems;
  const state = hostStateOf(facts);
  const last = lastOf(facts);
  return [
    {
      label: "host",
      text: `${config.host}: ${headline(facts, verdict, state)}`,
      colour: colours[state],
    },
    { label: "runs", text: systemText(facts, running) },
    ...bootDefault === running
      ? []
      : [{ label: "boots", text: systemText(facts, bootDefault) }],
    ...signedRows(facts),
    { label: "git", text: gitText(facts) },
    { label: "checked", text: askedText(factsOfAsked(facts)) },
    ...isolationRows(facts),
    ...gateRows(facts),
    ...slotRows(facts),
    ...verdict.why
      ? [{ label: "why", text: verdict.why, colour: colours[state] }]
      : [],
    {
      label: "last",
      text: last ? lastText(last, verdict, now) : "no attempt yet",
      ...last && last.exit !== exitCodes.ok ? { colour: inks.bad } : {},
    },
    ...verdict.next.map((text, i) => ({ label: i === 0 ? "next" : "", text })),
  ];
}

/** The colour of each state. */
export const colours: Readonly<Record<HostState, string>> = {
  "in-sync": inks.good,
  "out-of-sync": inks.warning,
  deploying: inks.busy,
  held: inks.bad,
  waiting: inks.warning,
  suspended: inks.warning,
  "rolled-back": inks.warning,
  unknown: inks.warning,
};

/** The words before the agreement, for states that need them. */
const told: Readonly<Partial<Record<HostState, string>>> = {
  deploying: "deploying; ",
  suspended: "suspended; ",
  "rolled-back": "rolled back; ",
  held: "blocked; ",
  waiting: "waiting; ",
};

/** Returns the state in a few words. */
export function headline(
  facts: Facts,
  { agrees }: Verdict,
  state: HostState,
): string {
  const { config: { ref }, tip, state: { attempt } } = facts;
  const first = told[state] ?? "";
  if (agrees === null) return `${first}the repository could not be queried`;
  if (agrees) {
    // In sync, but an attempt has not come to its end.
    const isCut = attempt !== undefined && state === "out-of-sync";
    return `${isCut ? "interrupted; " : first}in sync with ${ref}`;
  }
  const decision = tip && decisionOf(facts, tip);
  const said = decision?.kind === "test" ? shortName(decision.tip.name) : ref;
  return `${first}out of sync with ${said}`;
}

/** When a run queried the remote last, and when the next run is. */
export interface AskedFacts {
  asked: { at: Date; answered: boolean } | undefined;
  nextRun: NextRun | undefined;
  now: Date;
}

/** Returns when the remote was queried. */
export function factsOfAsked({ asked, nextRun, now }: Facts): AskedFacts {
  const before = asked && {
    at: asked.at,
    answered: asked.tip !== undefined,
  };
  return { asked: before, nextRun, now };
}

/** Returns the text for the label `checked`. */
export function askedText(facts: AskedFacts): string {
  const { nextRun } = facts;
  const why = !nextRun?.at && nextRun?.why ? ` (${nextRun.why})` : "";
  return `${beforeOf(facts) ?? "never by a run"}, ${nextOf(facts)}${why}`;
}

/** Returns the same for a single line, without the reasons. */
export function askedClause(facts: AskedFacts): string {
  const before = beforeOf(facts);
  const asked = before === undefined ? "never checked" : `checked ${before}`;
  return `${asked}, ${nextOf(facts)}`;
}

function beforeOf({ asked, now }: AskedFacts): string | undefined {
  if (!asked) return undefined;
  return `${ageOf(asked.at, now)}${asked.answered ? "" : " (no answer)"}`;
}

function nextOf({ nextRun, now }: AskedFacts): string {
  if (!nextRun?.at) return "next run unknown";
  const left = nextRun.at.getTime() - now.getTime();
  return `next run ${left > 0 ? `in ${formatDuration(left)}` : "now"}`;
}

function systemText(facts: Facts, system: string | null): string {
  if (system === null) return "no NixOS system";
  const deployment = deploymentOf(facts, system);
  if (!deployment) return `${system}, which gitops-sync did not deploy`;
  const isTest = runningTest(facts.state, facts.systems)?.system === system;
  return `${describe(deployment)}, since ${
    timeAndAge(deployment.at, facts.now)
  }${isTest ? ", as a test until the next reboot" : ""}`;
}

/** Returns who signed the running system, if signatures were checked. */
function signedRows(facts: Facts): Row[] {
  const deployment = deploymentOf(facts, facts.systems.running);
  return deployment
    ? signedText(deployment).map((text) => ({ label: "trust", text }))
    : [];
}

/** Returns each gate that the built revision waits for, and since when. */
function gateRows({ state, now }: Facts): Row[] {
  const gated = gatedNow(state);
  return gated?.gates.map(({ name, isOpen, since, why }) => ({
    label: "gate",
    text: `${name}: ${isOpen ? "open" : "closed"} since ${
      timeAndAge(since, now)
    }: ${why}`,
    colour: isOpen ? inks.good : inks.warning,
  })) ?? [];
}

/** Returns why evaluations are not isolated. */
function isolationRows({ state, config }: Facts): Row[] {
  return state.isolation && config["build.isolate"] !== "false"
    ? [{ label: "eval", text: state.isolation }]
    : [];
}

/** Returns the slot of the fleet that this host holds, and since when. */
function slotRows({ state: { slot, slotWait }, now }: Facts): Row[] {
  const wait = slotWait?.use === "reboot"
    ? [{
      label: "slot",
      text: `the reboot has waited for one since ${
        timeAndAge(slotWait.since, now)
      }: ${slotWait.message}`,
    }]
    : [];
  return [
    ...slot ? [{ label: "slot", text: slotText(slot, now) }] : [],
    ...wait,
  ];
}

function slotText(
  { group, id, phase, use, since, revision, stuck }: Slot,
  now: Date,
): string {
  const what = `one of the group ${group} since ${timeAndAge(since, now)}`;
  if (stuck) {
    return `${what}. The host was not healthy with ${
      short(revision)
    }, so it keeps the slot until it is healthy with the tip of its ref. Run \`gitops-sync fleet unlock ${id} --reason TEXT\` to free the slot.`;
  }
  return phase === "held"
    ? `${what}, for ${
      use === "reboot" ? "a reboot" : `the switch to ${short(revision)}`
    }`
    : `${what}; the next run releases it`;
}

function gitText(facts: Facts): string {
  const { config, tip, state: { seen }, now } = facts;
  if (tip) {
    const known = commitOf(facts, tip.revision);
    const by = tip.servedBy ? `, according to ${tip.servedBy}` : "";
    return `${tip.kind} ${nameOf(config.ref, tip.name)} is at ${
      known?.subject ? describe(known) : short(tip.revision)
    }${by}`;
  }
  return seen
    ? `last known tip of ${nameOf(seen.ref, seen.name)}: ${
      short(seen.revision)
    }, since ${timeAndAge(seen.at, now)}${
      seen.servedBy ? `, according to ${seen.servedBy}` : ""
    }`
    : "unknown";
}

/** Returns the ref; for a pattern, the tag that it names as well. */
function nameOf(ref: string, name: string | undefined): string {
  return name !== undefined && isPattern(ref)
    ? `${oneLine(name.replace(/^refs\/tags\//, ""), 80)} of ${ref}`
    : ref;
}

/** Returns what the stored state knows of a revision. */
function commitOf(
  { state, history }: Facts,
  revision: string,
): Pick<Commit, "revision" | "subject" | "author"> | undefined {
  if (state.lastGood?.revision === revision) return state.lastGood;
  const entry = history.findLast((one) => one.revision === revision);
  return entry &&
    { revision, subject: entry.subject ?? "", author: entry.author ?? "" };
}

/**
 * Returns how the last attempt ended. An outage replaces it in the state until
 * the outage is over; the history still has the attempt.
 */
export function lastOf({ state, history }: Facts): LastAttempt | undefined {
  const entry = history.findLast(isAttempt);
  if (state.last || !entry) return state.last;
  const { at, ms, result, exit, revision, stage, reason, message } = entry;
  return {
    at: new Date(Date.parse(at) + ms).toISOString(),
    result,
    exit,
    ...(revision ? { revision } : {}),
    ...(stage ? { stage } : {}),
    ...(reason ? { reason } : {}),
    message: message ?? "",
    hints: [],
    times: 1,
  };
}

/** Describes the last attempt; omits its message if the `why` row shows it. */
function lastText(last: LastAttempt, { why: said }: Verdict, now: Date) {
  const what = last.revision ? ` ${short(last.revision)}` : "";
  const times = last.times > 1 ? `, ${count(last.times, "time")} in a row` : "";
  const [message = ""] = last.message.split("\n");
  const why = message === "" || said.includes(message) ? "" : `: ${message}`;
  return `${last.result}${what}, ${timeAndAge(last.at, now)}${times}${why}`;
}
