/**
 * Formats a plan as JSON; docs/json.md documents the shape.
 *
 * @module
 */
import { changes, type Plan } from "../../plan/plan.ts";
import type { HostState } from "../../run/host_state.ts";
import type { Call } from "../call.ts";
import { readConfig } from "../config.ts";
import { hostPart } from "../../report/host_facts.ts";
import { errorJson } from "../output/json.ts";

/**
 * Returns the shape that docs/json.md documents. A value is `null` if unknown.
 */
export async function planJson(
  call: Call,
  plan: Plan,
): Promise<Record<string, unknown>> {
  const { commits, failure, stops, before, after } = plan;
  return {
    host: plan.host,
    target: plan.target ?? null,
    state: plan.target ? await stateOf(call) : "unknown",
    about: plan.about,
    would: plan.would,
    changes: changes(plan) ?? null,
    revision: plan.revision ?? null,
    commits: commits
      ? {
        ...commits,
        base: commits.base ?? null,
      }
      : null,
    verified: plan.verified ?? null,
    failure: failure ? errorJson(failure) : null,
    built: plan.isBuilt,
    before: before ?? null,
    after: after ?? null,
    packages: plan.packages ?? null,
    units: plan.units ?? null,
    unitFiles: plan.unitFiles ?? null,
    reboot: plan.reboot ?? null,
    secrets: plan.secrets ?? null,
    secretFiles: plan.secretFiles ?? null,
    stops: stops.map(({ until, ...stop }) => ({
      ...stop,
      until: until ?? null,
    })),
    notes: plan.notes,
  };
}

/**
 * Returns the state of the host. The plan may have a configuration of its own
 * without root, so it is loaded again.
 */
async function stateOf(call: Call): Promise<HostState> {
  return (await hostPart(await readConfig(call))).state;
}
