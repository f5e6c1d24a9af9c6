/**
 * Formats the status as JSON, in the shape that docs/json.md documents.
 *
 * @module
 */
import type { Facts, Verdict } from "../../report/agreement.ts";
import { deploymentOf, lastOf } from "../../report/status_text.ts";
import type { AskedAt } from "../../state/asked.ts";
import type { State } from "../../state/state.ts";
import { rolledBackOf } from "../../run/decide.ts";
import { gatedNow } from "../../run/gates.ts";
import type { NextRun } from "../../host/next_run.ts";

/** Returns all keys of the document, except those of every document. */
export function statusJson(
  facts: Facts,
  verdict: Verdict,
): Record<string, unknown> {
  const { config, state, systems, tip, unreached, suspension, busy } = facts;
  const system = (path: string | null) => ({
    system: path,
    deployment: deploymentOf(facts, path) ?? null,
  });
  return {
    running: system(systems.running),
    bootDefault: system(systems.bootDefault),
    git: {
      repository: config.repository ?? null,
      ref: config.ref,
      tip: tip ?? null,
      unreached: unreached ?? null,
      seen: state.seen ?? null,
      checked: checkedJson(facts.asked),
    },
    ...verdict,
    nextRun: nextJson(facts.nextRun),
    lastGood: state.lastGood ?? null,
    last: lastOf(facts) ?? null,
    holds: state.holds,
    rolledBack: rolledBackOf(state) ?? null,
    waiting: state.waiting ?? null,
    gated: gatedNow(state) ?? null,
    testing: state.testing ?? null,
    backoff: state.backoff ?? null,
    attempt: state.attempt ?? null,
    reboot: {
      changed: facts.changed ?? [],
      last: state.reboot ?? null,
    },
    isolation: state.isolation ?? null,
    ...slotsJson(state),
    suspension: suspension ?? null,
    busy: busy ? { ...busy, since: new Date(busy.since).toISOString() } : null,
  };
}

/** Returns the slot of the fleet that the host holds or waits for. */
export function slotsJson(
  { slot, slotWait }: State,
): Record<"slot" | "slotWait", unknown> {
  if (!slot) return { slot: null, slotWait: slotWait ?? null };
  const { engine, group, id, phase, use, since, revision, stuck } = slot;
  return {
    slot: {
      engine,
      group,
      id,
      phase,
      use,
      since,
      revision,
      isStuck: stuck === true,
    },
    slotWait: slotWait ?? null,
  };
}

function checkedJson(
  asked: AskedAt | undefined,
): Record<string, unknown> | null {
  if (!asked) return null;
  const { at, tip, message } = asked;
  return {
    at: at.toISOString(),
    answered: tip !== undefined,
    why: message ?? null,
  };
}

/** Returns when the next run is, or why that is unknown. */
export function nextJson(next: NextRun | undefined): Record<string, unknown> {
  return {
    at: next?.at?.toISOString() ?? null,
    why: next?.at ? null : next?.why ?? "not queried",
  };
}
