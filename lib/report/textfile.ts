/**
 * Metrics as a file for node_exporter's textfile collector.
 *
 * @module
 */
import project from "../../deno.json" with { type: "json" };
import { type Effects, say } from "../base/effects.ts";
import { foreseen } from "../base/os_error.ts";
import type { LocalConfig } from "../config/config.ts";
import { changedSinceBoot } from "../host/booted.ts";
import { systems } from "../host/system.ts";
import { list } from "../notify/spool.ts";
import { driftNow } from "../run/decide.ts";
import { gateNames } from "../run/gates.ts";
import { misledOf } from "../run/misled.ts";
import { readAlerts } from "../state/alerts.ts";
import { isAttempt, readHistory } from "../state/history.ts";
import type { State } from "../state/state.ts";
import { readState } from "../state/state_file.ts";
import { readSuspension } from "../state/suspension.ts";
import { checkFileOf, checkText } from "../sync/settled.ts";
import { behind } from "./behind.ts";
import { counted, readCounts, writeCounts } from "./counts.ts";
import { exposition } from "./exposition.ts";
import { type MetricFacts, metricsOf } from "./metrics.ts";

/**
 * Writes the metrics, if the configuration names a file. A failure is only a
 * warning: it does not change how a run ended.
 *
 * @param hasAsked Whether the remote has answered the run.
 */
export async function writeMetrics(
  effects: Effects,
  config: LocalConfig,
  hasAsked: boolean,
): Promise<void> {
  const path = config["metrics.textfile"];
  if (path === undefined) return;
  try {
    const text = exposition(metricsOf(await factsOf(effects, config)));
    replaceText(path, text);
    if (hasAsked) {
      replaceText(checkFileOf(path), checkText(effects.now().getTime()));
    }
  } catch (error) {
    const { message } = foreseen(error) as Error;
    say(effects, "warning", `Cannot write metrics to ${path}: ${message}`, [
      "Check that the folder exists, and that metrics.textfile names a file in it.",
    ]);
  }
}

/** Replaces a file atomically, readable for everybody. */
function replaceText(path: string, text: string): void {
  // The collector reads files that end in .prom. A run and a person who suspends
  // the host may write at the same time.
  const temporary = `${path}.${Deno.pid}`;
  try {
    Deno.writeTextFileSync(temporary, text);
    Deno.chmodSync(temporary, 0o644);
    Deno.renameSync(temporary, path);
  } catch (error) {
    // On a full disk it would block later writes.
    try {
      Deno.removeSync(temporary);
    } catch {
      // It is not there.
    }
    throw error;
  }
}

/** Returns the facts for the metrics. */
export async function factsOf(
  effects: Effects,
  config: LocalConfig,
): Promise<MetricFacts> {
  const folder = config.stateDirectory;
  const state = await readState(folder);
  const history = readHistory(folder);
  const before = readCounts(folder);
  const counts = counted(before, history);
  await writeCounts(folder, before, counts);
  const { lastGood } = state;
  const { fault } = readAlerts(folder);
  const last = history.findLast(isAttempt);
  const { misled } = misledOf(lastGood);
  return {
    version: project.version,
    host: config.host,
    ring: config["fleet.ring"],
    state,
    counts,
    ...(last ? { last } : {}),
    isSuspended: readSuspension(folder, effects.now()) !== undefined,
    hasDrift: driftNow({
      state,
      systems: systems(),
      ...misled ? { misled } : {},
    }) !== undefined,
    needsReboot: lastGood !== undefined &&
      changedSinceBoot(lastGood.system).length > 0,
    needsPerson: fault?.isBroken === true,
    ...(fault ? { fault: { stage: fault.stage, reason: fault.reason } } : {}),
    behind: await ageOfBehind(effects, config, state),
    gates: gateNames(config),
    waiting: list(folder).length,
  };
}

/**
 * Returns the age of the oldest commit that is not deployed. If the mirror lacks
 * the commits, the age counts from when the remote first named the tip.
 */
async function ageOfBehind(
  effects: Effects,
  config: LocalConfig,
  { seen, lastGood, built }: State,
): Promise<number> {
  const done = config.operation === "build" ? built : lastGood;
  if (!seen || seen.revision === done?.revision) return 0;
  const { stateDirectory } = config;
  const commits = await behind(
    effects,
    stateDirectory,
    seen.revision,
    done?.revision,
  );
  const since = commits?.oldest ?? Date.parse(seen.at);
  return Math.max(0, effects.now().getTime() - since);
}
