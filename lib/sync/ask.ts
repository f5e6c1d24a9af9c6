/**
 * Asks the remote what it names, patiently.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import type { Tip } from "../base/tip.ts";
import type { Config } from "../config/schema.ts";
import type { Asked } from "../git/remote.ts";
import { askSources } from "../git/sources.ts";
import type { State } from "../state/state.ts";
import type { Outcome } from "./outcome.ts";

/** Asks the remote; that it did not answer ends the run, and is recorded. */
export async function askOrRecord(
  effects: Effects,
  config: Config,
  state: State,
): Promise<{ outcome: Outcome } | { outcome?: never } & Answered> {
  try {
    return await ask(effects, config, state);
  } catch (error) {
    if (!(error instanceof SyncError) || error.stage !== "decide") throw error;
    const { recordUnreached } = await import("./unreached.ts");
    await recordUnreached(effects, config, state, error);
    return { outcome: { result: "failed", error } };
  }
}

/** The remote has the name that was asked for. */
export type Answered = Asked & { tip: Tip };

/**
 * Asks the remote, again after a growing pause where it did not answer.
 *
 * @throws {SyncError} at stage `decide`, also where it has no such name.
 */
export async function ask(
  effects: Effects,
  config: Config,
  state: State,
): Promise<Answered> {
  for (let tries = 0;; tries++) {
    try {
      const { tip, ...asked } = await askSources(effects, config, state);
      if (tip) return { tip, ...asked };
    } catch (error) {
      const passes = error instanceof SyncError &&
        error.reason === "unreachable" && tries < config.retries;
      if (!passes) throw error;
      await effects.sleep(2000 * 4 ** tries * (0.8 + 0.4 * Math.random()));
      continue;
    }
    const { missing } = await import("./unreached.ts");
    throw await missing(effects, config);
  }
}
