/**
 * `gitops-sync status --wait`: waits until the tip is deployed or has failed.
 *
 * @module
 */
import { say } from "../../base/effects.ts";
import { type ExitCode, exitCodes } from "../../base/errors.ts";
import { formatDuration } from "../../base/duration.ts";
import type { Config } from "../../config/schema.ts";
import { decisionOf, hostStateOf } from "../../run/host_state.ts";
import type { Call } from "../call.ts";
import { realEffects } from "../output/effects.ts";
import { Interruption } from "../output/interruption.ts";
import { spanOf } from "../span.ts";
import type { Facts } from "../../report/agreement.ts";
import { LiveStatus } from "./status_live.ts";
import { tellStatus } from "./status_tell.ts";

/** Milliseconds between two reads of the state. */
const pause = 500;

/**
 * Waits, and prints the status at the end.
 *
 * @returns the exit code of the final state, or 130.
 */
export async function wait(call: Call, config: Config): Promise<ExitCode> {
  const span = spanOf(call, "wait") ?? Infinity;
  const begun = Date.now();
  using interruption = new Interruption();
  using effects = await realEffects(call.verbose);
  const live = new LiveStatus(effects, config, call.switches.has("offline"));
  for (;;) {
    const facts = await live.facts();
    if (interruption.hasCome) return exitCodes.interrupted;
    if (isOver(facts, begun)) return await tellStatus(call, facts);
    const left = begun + span - Date.now();
    if (left <= 0) {
      const took = formatDuration(span);
      say(effects, "warning", `The deployment has not ended after ${took}`);
      return await tellStatus(call, facts);
    }
    await interruption.pause(Math.min(pause, left));
  }
}

/**
 * Returns whether the host stays as it is without a new commit or manual
 * action.
 *
 * @param begun When the wait began, in milliseconds since 1970.
 */
function isOver(facts: Facts, begun: number): boolean {
  const { isBusy, state: { backoff, last, lastGood }, tip } = facts;
  if (facts.otherMachine) return !isBusy;
  switch (hostStateOf(facts)) {
    case "in-sync":
      return true;
    case "held":
    case "rolled-back":
    case "suspended":
      return !isBusy;
    case "waiting":
    case "out-of-sync": {
      if (isBusy || !tip) return false;
      const decision = decisionOf(facts, tip);
      // Without a time, a person must approve it.
      if (decision.kind === "unapproved") return decision.until === null;
      // A gate may open at any time.
      if (decision.kind === "gated") return false;
      // Each run tries to get a slot.
      if (decision.kind === "queued") return false;
      // The next run does it.
      if (decision.kind.startsWith("test")) return false;
      // The tip was deployed, and later a person switched the host by hand.
      if (lastGood?.revision === tip.revision) {
        return facts.config.drift === "report";
      }
      const isFresh = last !== undefined && Date.parse(last.at) >= begun;
      return backoff?.revision === tip.revision &&
        (isFresh || Date.parse(backoff.notBefore) > facts.now.getTime());
    }
    default:
      return false;
  }
}
