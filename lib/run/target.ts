/**
 * What a configuration makes of a revision.
 *
 * @module
 */
import type { Config } from "../config/schema.ts";
import type { Target } from "../state/state.ts";

/** What a configuration makes of a revision. */
export function targetOf(config: Config): Target {
  const { repository, ref, directory, host, operation } = config;
  return { repository, ref, directory, host, operation };
}

/** Returns the target for the testing branch: never a boot default. */
export function testingTargetOf(target: Target, ref: string): Target {
  return { ...target, ref, operation: "test" };
}

/** Whether two targets make the same system of the same revision. */
export function sameTarget(a: Target, b: Target): boolean {
  return a.repository === b.repository && a.ref === b.ref &&
    a.directory === b.directory && a.host === b.host &&
    a.operation === b.operation;
}
