/**
 * Carries out the decision.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import type { Tip } from "../base/tip.ts";
import type { Config } from "../config/schema.ts";
import { type Decision, targetOf } from "../run/decide.ts";
import type { Record } from "../run/run.ts";
import type { State } from "../state/state.ts";
import { testOf } from "./decision.ts";
import { mustWait } from "./left.ts";
import type { Outcome } from "./outcome.ts";
import type { Wishes } from "./wishes.ts";

/**
 * Carries out the decision; the stages are loaded when they are needed.
 *
 * @param wishes What a person wants of this run, and who it is.
 */
export async function act(
  effects: Effects,
  config: Config,
  state: State,
  tip: Tip,
  decision: Decision,
  record: Record,
  wishes: Wishes,
): Promise<Outcome> {
  const { kind } = decision;
  const isChange = ["deploy", "correct", "test", "test-over"].includes(kind);
  if (isChange && await mustWait(effects)) {
    return { result: "starting" };
  }
  switch (decision.kind) {
    case "nothing":
      return {
        result: "in-sync",
        revision: tip.revision,
        ...(decision.drift ? { drift: decision.drift } : {}),
        ...testOf(state),
      };
    case "held": {
      const { kind: _, ...held } = decision;
      return { result: "held", ...held };
    }
    case "wait": {
      const { kind: _, ...waiting } = decision;
      return { result: "waiting", ...waiting };
    }
    case "outside": {
      const { kind: _, ...outside } = decision;
      return { result: "outside", revision: tip.revision, ...outside };
    }
    case "rolled-back": {
      const { kind: _, ...stays } = decision;
      return { result: "stays", ...stays, deployment: state.lastGood! };
    }
    case "unapproved": {
      const { kind: _, ...unapproved } = decision;
      return { result: "unapproved", ...unapproved };
    }
    case "gated": {
      const { askAgain } = await import("./gated.ts");
      const gated = await askAgain(
        effects,
        config,
        state,
        decision,
        wishes.force,
      );
      const { drift } = decision;
      if (gated) {
        return { result: "gated", gated, ...drift ? { drift } : {} };
      }
      if (await mustWait(effects)) return { result: "starting" };
      const { attemptDeploy } = await import("./attempt.ts");
      const { tip, target } = decision;
      return await attemptDeploy(
        effects,
        config,
        state,
        tip,
        target,
        record,
        wishes,
      );
    }
    case "queued":
      return await actWithSlot(
        effects,
        config,
        state,
        tip,
        decision,
        record,
        wishes,
      );
    case "deploy":
    case "test": {
      const { attemptDeploy } = await import("./attempt.ts");
      const [what, target] = decision.kind === "test"
        ? [decision.tip, decision.target]
        : [decision.tip ?? tip, targetOf(config)];
      return await attemptDeploy(
        effects,
        config,
        state,
        what,
        target,
        record,
        wishes,
      );
    }
    case "correct":
    case "test-over": {
      const { attemptPut } = await import("./attempt.ts");
      const { deployment } = decision;
      const result = decision.kind === "correct" ? "corrected" : "test-over";
      return await attemptPut(effects, config, state, deployment, record, {
        result,
        ...wishes.by === undefined ? {} : { by: wishes.by },
      });
    }
  }
}

/** Carries out the decision if a slot of the fleet is free now. */
async function actWithSlot(
  effects: Effects,
  config: Config,
  state: State,
  tip: Tip,
  { then, wait: { use, revision }, drift }: Decision & { kind: "queued" },
  record: Record,
  wishes: Wishes,
): Promise<Outcome> {
  const { Run } = await import("../run/run.ts");
  const { slotIsFree } = await import("../locks/take.ts");
  const run = new Run(effects, config, state);
  const wait = await slotIsFree(run, { use, revision });
  if (!wait) {
    return await act(effects, config, run.state, tip, then, record, wishes);
  }
  return { result: "queued", revision, wait, ...drift ? { drift } : {} };
}
