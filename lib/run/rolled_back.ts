/**
 * A rollback that lasts until `resume`.
 *
 * @module
 */
import type { RolledBack, State, Wish } from "../state/state.ts";

/**
 * Returns a person's lasting rollback. It is over if another system was confirmed
 * since: an older version of the program does not know of it.
 */
export function rolledBackOf(
  { rolledBack, lastGood }: Pick<State, "rolledBack" | "lastGood">,
): RolledBack | undefined {
  return rolledBack?.system === lastGood?.system ? rolledBack : undefined;
}

/**
 * Returns who rolled back, and why.
 *
 * @param when Optional: the time in words, with a leading space.
 */
export function rolledBackBy({ by, reason }: Wish, when = ""): string {
  return `${by} rolled this host back${when}${reason ? ` (${reason})` : ""}`;
}

/** Keeps the wish if the host had to roll back further, to another system. */
export function rolledFurther(
  state: Pick<State, "rolledBack" | "lastGood">,
  system: string,
): Pick<State, "rolledBack"> {
  const rolledBack = rolledBackOf(state);
  return rolledBack ? { rolledBack: { ...rolledBack, system } } : {};
}
