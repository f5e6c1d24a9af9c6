/**
 * Queries the remote for the tip of the ref, with retries.
 *
 * @module
 */
import { formatDuration } from "../base/duration.ts";
import { type Effects, say } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import type { Tip } from "../base/tip.ts";
import type { Config } from "../config/schema.ts";
import type { Asked } from "../git/remote.ts";
import { askSources, remoteOf } from "../git/sources.ts";
import { QuietServers } from "../run/quiet.ts";
import { writeAsked } from "../state/asked.ts";
import type { State } from "../state/state.ts";
import type { Outcome } from "./outcome.ts";

/**
 * Queries the remote. If it does not answer, the run ends, and this is recorded.
 *
 * @returns with an answer, the servers in a pause for a later run.
 */
export async function askOrRecord(
  effects: Effects,
  config: Config,
  state: State,
): Promise<
  | { outcome: Outcome }
  | { outcome?: never } & Answered & Pick<State, "quiet">
> {
  const servers = new QuietServers(state.quiet);
  const { stateDirectory: folder, repository, ref } = config;
  try {
    const answered = await ask(effects, config, state, servers);
    await writeAsked(folder, { repository, ref, tip: answered.tip });
    return { ...answered, ...servers.after(effects.now()) };
  } catch (error) {
    if (!(error instanceof SyncError) || error.stage !== "decide") throw error;
    // An interruption by a person says nothing about the remote.
    if (error.reason === "interrupted") {
      return { outcome: { result: "failed", error } };
    }
    const { reason, message } = error;
    await writeAsked(folder, { repository, ref, reason, message });
    const { recordUnreached } = await import("./unreached.ts");
    const { quiet: _, ...rest } = state;
    const now = { ...rest, ...servers.after(effects.now()) };
    await recordUnreached(effects, config, now, error);
    return { outcome: { result: "failed", error } };
  }
}

/** The remote has the ref. */
export type Answered = Asked & { tip: Tip };

/**
 * Queries the remote; if it does not answer, tries again after a growing pause.
 *
 * @param quiet As for {@linkcode askSources}.
 * @throws {SyncError} at stage `decide`, also if it has no such ref.
 */
export async function ask(
  effects: Effects,
  config: Config,
  state: State,
  quiet: QuietServers = new QuietServers(state.quiet),
): Promise<Answered> {
  for (let tries = 0;; tries++) {
    let servedBy: string | undefined;
    try {
      const { tip, ...asked } = await askSources(
        effects,
        config,
        state,
        quiet,
      );
      if (tip) return { tip, ...asked };
      servedBy = asked.servedBy;
    } catch (error) {
      const passes = error instanceof SyncError &&
        error.reason === "unreachable" && tries < config.retries;
      if (!passes) throw error;
      const pause = 2000 * 4 ** tries * (0.8 + 0.4 * Math.random());
      say(
        effects,
        "info",
        `${error.message}; trying again in ${formatDuration(pause)} (try ${
          tries + 2
        } of ${config.retries + 1})`,
      );
      await effects.sleep(pause);
      continue;
    }
    const { missing } = await import("./unreached.ts");
    const remote = remoteOf(config, servedBy);
    try {
      throw await missing(effects, remote);
    } catch (error) {
      if (error instanceof SyncError) {
        quiet.note(remote.repository, error, effects.now());
      }
      throw error;
    }
  }
}
