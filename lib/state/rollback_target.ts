/**
 * The good system before the last good one.
 *
 * @module
 */
import type { Deployment, State } from "./state.ts";

/**
 * Returns the target of a rollback. Skips what a person rolled back from, so
 * that a second rollback goes one further back.
 */
export function rollbackTarget(
  { earlier, holds }: Pick<State, "earlier" | "holds">,
): Deployment | undefined {
  return earlier.find(({ revision }) => !isLeft(holds, revision));
}

/** Whether somebody rolled this host back from a revision. */
export function isLeft(holds: State["holds"], revision: string): boolean {
  return holds.some((hold) =>
    hold.reason === "rolled-back" && hold.revision === revision
  );
}
