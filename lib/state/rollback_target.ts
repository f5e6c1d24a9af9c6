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
  const left = holds.filter(({ reason }) => reason === "rolled-back");
  return earlier.find((one) =>
    !left.some(({ revision }) => revision === one.revision)
  );
}
