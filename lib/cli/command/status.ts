/**
 * `gitops-sync status`: what runs, what Git says, and what comes next.
 *
 * @module
 */
import { type ExitCode, exitCodes, SyncError } from "../../base/errors.ts";
import type { Config } from "../../config/schema.ts";
import { isPattern } from "../../config/tag_pattern.ts";
import { changedSinceBoot } from "../../host/booted.ts";
import { readHistory } from "../../state/history.ts";
import { bootedSystem } from "../../host/system.ts";
import { hostStateOf } from "../../run/host_state.ts";
import { askSources } from "../../git/sources.ts";
import { configOf } from "../config.ts";
import { realEffects } from "../output/effects.ts";
import { printHostJson } from "../output/host_json.ts";
import { localFacts } from "../host_facts.ts";
import { print } from "../output/print.ts";
import { agreement, type Facts } from "./agreement.ts";
import { statusJson, statusLines } from "./status_text.ts";
import type { Call } from "../call.ts";
import type { State } from "../../state/state.ts";
import type { Tip } from "../../base/tip.ts";

/** A person waits for the answer. */
const patience = 10_000;

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  const config = await configOf(call);
  const facts = await gather(call, config);
  const verdict = agreement(facts);
  if (call.json) {
    const state = hostStateOf(facts);
    const result = statusJson(facts, verdict);
    await printHostJson("status", config, exitCodes.ok, result, state);
  } else {
    print(statusLines(facts, verdict));
  }
  return exitCodes.ok;
}

async function gather(call: Call, config: Config): Promise<Facts> {
  const local = await localFacts(config);
  const { state } = local;
  const isOffline = call.switches.has("offline");
  const { tip: before, ...rest } = local;
  // What the remote said before is no answer of now.
  const answer = isOffline
    ? before ? { tip: before } : { unreached: "not asked" }
    : await ask(call, config, state);
  return {
    ...rest,
    ...answer,
    history: readHistory(config.stateDirectory),
    changed: state.lastGood ? changedSinceBoot(state.lastGood.system) : [],
    booted: bootedSystem(),
  };
}

async function ask(
  call: Call,
  config: Config,
  state: State,
): Promise<{ tip?: Tip; unreached?: string }> {
  const timeout = Math.min(config["timeouts.remote"], patience);
  using effects = await realEffects(call.verbose);
  try {
    const { tip } = await askSources(effects, {
      ...config,
      "timeouts.remote": timeout,
    }, state);
    const what = isPattern(config.ref) ? "tag of" : "branch or tag";
    return tip ? { tip } : {
      unreached: `${config.repository} has no ${what} ${config.ref}`,
    };
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    return { unreached: error.message };
  }
}
