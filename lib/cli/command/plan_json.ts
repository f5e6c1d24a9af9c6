/**
 * A plan as JSON; docs/json.md documents the shape.
 *
 * @module
 */
import { changes, type Plan } from "../../plan/plan.ts";
import { errorJson } from "../output/json.ts";

/** A point in time without fractions of a second, in UTC (RFC 3339). */
function whole(iso: string): string {
  return `${new Date(iso).toISOString().slice(0, 19)}Z`;
}

/** The shape that docs/json.md documents. What is not known is null. */
export function planJson(plan: Plan): Record<string, unknown> {
  const { commits, failure, stops, before, after } = plan;
  return {
    host: plan.host,
    target: plan.target ?? null,
    about: plan.about,
    would: plan.would,
    changes: changes(plan) ?? null,
    revision: plan.revision ?? null,
    commits: commits
      ? {
        ...commits,
        base: commits.base ?? null,
        list: commits.list.map((commit) => ({
          ...commit,
          committedAt: whole(commit.committedAt),
        })),
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
      until: until === undefined ? null : whole(until),
    })),
    notes: plan.notes,
  };
}
