/**
 * The good system before the last good one.
 *
 * @module
 */
import type { Deployment, State } from "./state.ts";

/**
 * What a rollback goes back to: not onto what a person rolled back from, so that
 * twice goes two back.
 */
export function goodBefore(
  { earlier, holds }: Pick<State, "earlier" | "holds">,
): Deployment | undefined {
  const left = holds.filter(({ reason }) => reason === "rolled-back");
  return earlier.find((one) =>
    !left.some(({ revision }) => revision === one.revision)
  );
}
