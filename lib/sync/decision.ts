/**
 * The decision of a run, from the state of the host.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import type { Tip } from "../base/tip.ts";
import type { Config } from "../config/schema.ts";
import { systems } from "../host/system.ts";
import { decide, type Decision, targetOf } from "../run/decide.ts";
import { misledOf } from "../run/misled.ts";
import { goneReason } from "../run/soak.ts";
import { asideReason, runningTest } from "../run/testing.ts";
import type { Deployment, State } from "../state/state.ts";
import type { Outcome } from "./outcome.ts";

/** Whether a run decides the same again as long as nothing changes. */
export function isRest(decision: Decision): boolean {
  return ["nothing", "rolled-back", "unapproved", "gated"]
    .includes(decision.kind) && !("drift" in decision && decision.drift);
}

/** Whether gates were checked and opened, so that something was done. */
export function isOpened(decision: Decision, outcome: Outcome): boolean {
  return decision.kind === "gated" && outcome.result !== "gated";
}

/** Decides from the current state of the host. */
export function decideNow(
  effects: Effects,
  config: Config,
  state: State,
  tip: Tip,
  force: boolean,
): Decision {
  return decide({
    tip,
    state,
    target: targetOf(config),
    config,
    systems: systems(),
    ...misledOf(state.lastGood),
    now: effects.now(),
    force,
  });
}

/** Returns the running deployment of the testing branch. */
export function testOf(state: State): { testing?: Deployment } {
  const test = runningTest(state, systems());
  return test ? { testing: test } : {};
}

/**
 * Whether the revision turned out not to be for this host: the testing branch is
 * not based on the followed ref, or the ref no longer has the soaked revision.
 */
export function isAside(
  outcome: Outcome,
): outcome is Outcome & { result: "interrupted" } {
  return outcome.result === "interrupted" &&
    [asideReason, goneReason].includes(outcome.error.reason);
}
