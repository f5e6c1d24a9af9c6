/**
 * `gitops-sync fleet wait`: waits until all selected hosts run a revision and
 * are healthy.
 *
 * @module
 */
import { say } from "../../base/effects.ts";
import {
  type ExitCode,
  exitCodes,
  SyncError,
  usageError,
} from "../../base/errors.ts";
import { formatDuration } from "../../base/duration.ts";
import { count, oneLine, short } from "../../base/text.ts";
import { type Fleet, fleetOf } from "../../fleet/fleet.ts";
import { type FleetHost, isHealthy } from "../../fleet/host.ts";
import type { Call } from "../call.ts";
import { readConfig } from "../config.ts";
import { neededOperand } from "../operand.ts";
import { realEffects } from "../output/effects.ts";
import { Interruption } from "../output/interruption.ts";
import { printJson } from "../output/json.ts";
import { print } from "../output/print.ts";
import { spanOf } from "../span.ts";
import { tellFleet, wishOf } from "./fleet.ts";

/** How long it waits by default. */
const defaultSpan = 30 * 60_000;

/** Milliseconds between two queries. */
const pause = 10_000;

/** States that only a person or another commit ends. */
const final = ["needs-person", "held", "rolled-back"];

/** The state of the wait. */
type Verdict = "reached" | "failed" | "waiting";

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  const config = await readConfig(call);
  const revision = neededOperand(
    call,
    "wait",
    "fleet wait REVISION",
    "Run `gitops-sync fleet wait $(git rev-parse HEAD)` in a checkout.",
  );
  const wish = wishOf(call, revision);
  const least = leastOf(call);
  const span = spanOf(call, "within") ?? defaultSpan;
  using interruption = new Interruption();
  using effects = await realEffects(call.verbose);
  const begun = performance.now();
  let told = "";
  for (;;) {
    const left = begun + span - performance.now();
    let fleet: Fleet | undefined, problem: SyncError | undefined;
    try {
      fleet = await fleetOf(config, wish, new Date());
    } catch (error) {
      // The server may be unavailable for a moment, so it is queried again.
      const isTemporary = error instanceof SyncError &&
        error.exit === exitCodes.remote;
      if (!isTemporary) throw error;
      problem = error;
    }
    if (interruption.hasCome) return exitCodes.interrupted;
    const verdict = fleet ? verdictOf(fleet.hosts, revision, least) : "waiting";
    if (fleet && (verdict !== "waiting" || left <= 0)) {
      return end(call, fleet, revision, verdict, span, least);
    }
    if (problem && left <= 0) throw problem;
    const text = problem
      ? problem.message
      : progressOf(fleet!.hosts, revision, least);
    if (text !== told) say(effects, "info", text);
    told = text;
    await interruption.pause(Math.max(0, Math.min(pause, left)));
  }
}

function leastOf({ texts }: Call): number {
  const text = texts["at-least"];
  if (text === undefined) return 1;
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw usageError(
    "flag-value",
    `Cannot use "${
      oneLine(text, 80)
    }" for --at-least: expected a whole number from 1`,
    "Type, for example, the number of hosts in the ring.",
  );
}

/** Returns whether a host runs the revision and is healthy. */
function isDeployed(host: FleetHost, revision: string): boolean {
  return isHealthy(host) && host.revision === revision;
}

/**
 * Returns the state of the wait. Too few hosts, or none, are never enough: if
 * the name of a ring is wrong, that must not count as success.
 */
export function verdictOf(
  hosts: readonly FleetHost[],
  revision: string,
  least: number,
): Verdict {
  if (hosts.some((host) => isOver(host, revision))) return "failed";
  const isAll = hosts.length >= least &&
    hosts.every((host) => isDeployed(host, revision));
  return isAll ? "reached" : "waiting";
}

/** Returns whether a host will not reach the revision without manual action. */
function isOver({ state, seen }: FleetHost, revision: string): boolean {
  return final.includes(state) && seen === revision;
}

function progressOf(
  hosts: readonly FleetHost[],
  revision: string,
  least: number,
): string {
  const done = hosts.filter((host) => isDeployed(host, revision)).length;
  const of = Math.max(hosts.length, least);
  return `${done} of ${count(of, "host")} run ${
    short(revision)
  } and are healthy`;
}

/** Prints how the wait ended, and returns the exit code. */
function end(
  call: Call,
  fleet: Fleet,
  revision: string,
  verdict: Verdict,
  span: number,
  least: number,
): ExitCode {
  const { source, at, hosts } = fleet;
  const code = codeOf(hosts, revision, verdict);
  if (call.json) {
    const result = verdict === "waiting" ? "timeout" : verdict;
    printJson("fleet wait", code, { result, source, at, revision, hosts });
    return code;
  }
  if (verdict !== "reached" && hosts.length > 0) {
    const open = hosts.filter((host) => !isDeployed(host, revision));
    tellFleet({ ...fleet, hosts: open });
  }
  const progress = progressOf(hosts, revision, least);
  print(
    verdict === "waiting"
      ? `${progress} after ${formatDuration(span)}`
      : verdict === "failed"
      ? `${progress}; manual action is needed for the others`
      : progress,
  );
  return code;
}

function codeOf(
  hosts: readonly FleetHost[],
  revision: string,
  verdict: Verdict,
): ExitCode {
  if (verdict === "reached") return exitCodes.ok;
  if (verdict === "failed") return exitCodes.held;
  const open = hosts.filter((host) => !isDeployed(host, revision));
  const isUnknown = open.every(({ state }) =>
    state === "silent" || state === "unknown"
  );
  return isUnknown ? exitCodes.remote : exitCodes.outOfSync;
}
