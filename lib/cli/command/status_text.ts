/**
 * The status as lines for people and as JSON.
 *
 * @module
 */
import { rolledBackOf } from "../../run/decide.ts";
import { count, oneLine, short } from "../../base/text.ts";
import { isPattern } from "../../config/tag_pattern.ts";
import type { Commit, Deployment, LastAttempt } from "../../state/state.ts";
import type { Facts, Verdict } from "./agreement.ts";
import { table } from "../output/table.ts";
import { timeAndAge } from "../output/times.ts";
import { runningTest } from "../../run/testing.ts";
import { describe, signedText } from "../../run/commit.ts";

/** The deployment whose system is this one, if it was deployed here. */
function deploymentOf(
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

/** Everything at a glance. */
export function statusLines(facts: Facts, verdict: Verdict): string {
  const { config, systems, now } = facts;
  const { running, bootDefault } = systems;
  const last = lastOf(facts);
  const rows: [string, string][] = [
    ["host", `${config.host}: ${headline(facts, verdict)}`],
    ["runs", systemText(facts, running)],
    ...bootDefault === running
      ? []
      : [["boots", systemText(facts, bootDefault)] as [string, string]],
    ...signedRows(facts),
    ["git", gitText(facts)],
    ...isolationRows(facts),
    ...verdict.why ? [["why", verdict.why] as [string, string]] : [],
    ["last", last ? lastText(last, verdict, now) : "no attempt yet"],
    ...verdict.next.map((text, i): [string, string] => [
      i === 0 ? "next" : "",
      text,
    ]),
  ];
  return table(rows);
}

function headline({ config }: Facts, { agrees }: Verdict): string {
  if (agrees === null) return "Git could not be asked";
  return agrees ? `in sync with ${config.ref}` : `not what ${config.ref} says`;
}

function systemText(facts: Facts, system: string | null): string {
  if (system === null) return "no NixOS system";
  const deployment = deploymentOf(facts, system);
  if (!deployment) return `${system}, which gitops-sync did not deploy`;
  const isTest = runningTest(facts.state, facts.systems)?.system === system;
  return `${describe(deployment)}, since ${
    timeAndAge(deployment.at, facts.now)
  }${isTest ? ", to try it out until the next reboot" : ""}`;
}

/** Who signed what runs, where signatures were checked. */
function signedRows(facts: Facts): [string, string][] {
  const deployment = deploymentOf(facts, facts.systems.running);
  return deployment
    ? signedText(deployment).map((text) => ["trust", text])
    : [];
}

/** Why the host's power is at hand for what is evaluated. */
function isolationRows({ state, config }: Facts): [string, string][] {
  return state.isolation && config["build.isolate"] !== "false"
    ? [["eval", state.isolation]]
    : [];
}

function gitText(facts: Facts): string {
  const { config, tip, state: { seen }, now } = facts;
  if (tip) {
    const known = commitOf(facts, tip.revision);
    const by = tip.servedBy ? `, says ${tip.servedBy}` : "";
    return `${tip.kind} ${nameOf(config.ref, tip.name)} is at ${
      known?.subject ? describe(known) : short(tip.revision)
    }${by}`;
  }
  return seen
    ? `${nameOf(seen.ref, seen.name)} was at ${
      short(seen.revision)
    } when it was last seen to move, ${timeAndAge(seen.at, now)}${
      seen.servedBy ? `, said ${seen.servedBy}` : ""
    }`
    : "never seen";
}

/** The tag that a pattern names, with the pattern. */
function nameOf(ref: string, name: string | undefined): string {
  return name !== undefined && isPattern(ref)
    ? `${oneLine(name.replace(/^refs\/tags\//, ""), 80)} of ${ref}`
    : ref;
}

/** What is known of a revision without asking Git. */
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
 * How the last attempt ended. An outage takes its place in the state and goes
 * when it is over; the history still has it.
 */
function lastOf({ state, history }: Facts): LastAttempt | undefined {
  const entry = history.at(-1);
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

/** Without its message where that is why host and Git do not agree. */
function lastText(last: LastAttempt, { why: said }: Verdict, now: Date) {
  const what = last.revision ? ` ${short(last.revision)}` : "";
  const times = last.times > 1 ? `, ${count(last.times, "time")} in a row` : "";
  const [message = ""] = last.message.split("\n");
  const why = message === "" || said.includes(message) ? "" : `: ${message}`;
  return `${last.result}${what}, ${timeAndAge(last.at, now)}${times}${why}`;
}

/** The shape that docs/json.md documents. */
export function statusJson(
  facts: Facts,
  verdict: Verdict,
): Record<string, unknown> {
  const { config, state, systems, tip, unreached, suspension, busy } = facts;
  const system = (path: string | null) => ({
    system: path,
    deployment: deploymentOf(facts, path) ?? null,
  });
  return {
    host: config.host,
    running: system(systems.running),
    bootDefault: system(systems.bootDefault),
    git: {
      repository: config.repository ?? null,
      ref: config.ref,
      tip: tip ?? null,
      unreached: unreached ?? null,
      seen: state.seen ?? null,
    },
    ...verdict,
    lastGood: state.lastGood ?? null,
    last: lastOf(facts) ?? null,
    holds: state.holds,
    rolledBack: rolledBackOf(state) ?? null,
    waiting: state.waiting ?? null,
    testing: state.testing ?? null,
    backoff: state.backoff ?? null,
    attempt: state.attempt ?? null,
    reboot: {
      changed: facts.changed ?? [],
      last: state.reboot ?? null,
    },
    isolation: state.isolation ?? null,
    suspension: suspension ?? null,
    busy: busy ?? null,
  };
}
