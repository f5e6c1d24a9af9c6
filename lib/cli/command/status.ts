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
import { isLocked, lastHolder } from "../../host/lock.ts";
import { readSuspension } from "../../state/suspension.ts";
import { bootedSystem, systems } from "../../host/system.ts";
import { misledOf } from "../../run/misled.ts";
import { askSources } from "../../git/sources.ts";
import { localConfigOf } from "../config.ts";
import { realEffects } from "../output/effects.ts";
import { printJson } from "../output/json.ts";
import { print } from "../output/print.ts";
import { agreement, type Facts } from "./agreement.ts";
import { statusJson, statusLines } from "./status_text.ts";
import type { Call } from "../call.ts";
import type { State } from "../../state/state.ts";
import { readState } from "../../state/state_file.ts";
import type { Tip } from "../../base/tip.ts";

/** A person waits for the answer. */
const patience = 10_000;

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  const config = await localConfigOf(call);
  const facts = await gather(call, config as Config);
  const verdict = agreement(facts);
  if (call.json) {
    printJson("status", exitCodes.ok, statusJson(facts, verdict));
  } else {
    print(statusLines(facts, verdict));
  }
  return exitCodes.ok;
}

async function gather(call: Call, config: Config): Promise<Facts> {
  const folder = config.stateDirectory;
  const now = new Date();
  const state = await readState(folder);
  const suspension = readSuspension(folder, now);
  const busy = await isLocked(folder) ? lastHolder(folder) : undefined;
  const { tip, unreached } = await ask(call, config, state);
  return {
    config,
    state,
    systems: systems(),
    ...misledOf(state.lastGood),
    history: readHistory(folder),
    now,
    changed: state.lastGood ? changedSinceBoot(state.lastGood.system) : [],
    booted: bootedSystem(),
    ...(suspension ? { suspension } : {}),
    ...(busy ? { busy } : {}),
    ...(tip ? { tip } : {}),
    ...(unreached ? { unreached } : {}),
  };
}

async function ask(
  call: Call,
  config: Config,
  state: State,
): Promise<{ tip?: Tip; unreached?: string }> {
  if (call.switches.has("offline")) return { unreached: "not asked" };
  if (!config.repository) return { unreached: "no repository is configured" };
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
