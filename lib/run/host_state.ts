/**
 * The state of a host, in one word.
 *
 * @module
 */
import type { Tip } from "../base/tip.ts";
import type { Config } from "../config/schema.ts";
import type { BootEntry } from "../host/boot_entry.ts";
import type { Systems } from "../host/system.ts";
import type { State } from "../state/state.ts";
import type { Suspension } from "../state/suspension.ts";
import { decide, type Decision, targetOf } from "./decide.ts";

/** The states of a host; docs/json.md explains each. */
export const hostStates = [
  "in-sync",
  "out-of-sync",
  "deploying",
  "held",
  "waiting",
  "suspended",
  "rolled-back",
  "unknown",
] as const;

/** One of {@linkcode hostStates}. */
export type HostState = typeof hostStates[number];

/** The facts for the state. */
export interface HostFacts {
  config: Config;
  state: State;
  systems: Systems;
  /** The bootloader that starts another system than was deployed. */
  misled?: BootEntry;
  now: Date;
  /** The tip of the ref, if the remote was queried. */
  tip?: Tip;
  suspension?: Suspension;
  /** Whether a run is in progress. */
  isBusy: boolean;
}

/**
 * Returns the state of a host. If more than one applies, the first of these
 * counts: deploying, interrupted (`out-of-sync`), suspended, unknown, then what a
 * run would decide.
 */
export function hostStateOf(facts: HostFacts): HostState {
  const { state: { attempt }, isBusy, suspension, tip } = facts;
  if (attempt) return isBusy ? "deploying" : "out-of-sync";
  if (suspension) return "suspended";
  return tip ? ofDecision(decisionOf(facts, tip)) : "unknown";
}

/** Returns what a run would decide with this tip. */
export function decisionOf(facts: HostFacts, tip: Tip): Decision {
  const { config, state, systems, misled, now } = facts;
  return decide({
    tip,
    state,
    systems,
    ...misled ? { misled } : {},
    target: targetOf(config),
    config,
    now,
    force: false,
  });
}

function ofDecision(decision: Decision): HostState {
  switch (decision.kind) {
    case "nothing":
      return decision.drift ? "out-of-sync" : "in-sync";
    case "held":
      return decision.hold.reason === "rolled-back" ? "rolled-back" : "held";
    case "rolled-back":
      return "rolled-back";
    case "wait":
    case "outside":
    case "unapproved":
    case "gated":
    case "queued":
      return "waiting";
    case "deploy":
    case "correct":
    case "test":
    case "test-over":
      return "out-of-sync";
  }
}
