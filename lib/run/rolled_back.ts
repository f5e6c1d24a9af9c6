/**
 * A rollback that lasts until a person says otherwise.
 *
 * @module
 */
import type { RolledBack, State, Wish } from "../state/state.ts";

/**
 * The rollback that a person wants to last. It is over where something else was
 * confirmed since: an older program does not know of it.
 */
export function rolledBackOf(
  { rolledBack, lastGood }: Pick<State, "rolledBack" | "lastGood">,
): RolledBack | undefined {
  return rolledBack?.system === lastGood?.system ? rolledBack : undefined;
}

/**
 * Whose rollback it was, and why.
 *
 * @param when When it was, in words with a blank before, where it is told.
 */
export function rolledBackBy({ by, reason }: Wish, when = ""): string {
  return `${by} rolled this host back${when}${reason ? ` (${reason})` : ""}`;
}

/** The same wish, where the host had to go back further to another system. */
export function rolledFurther(
  state: Pick<State, "rolledBack" | "lastGood">,
  system: string,
): Pick<State, "rolledBack"> {
  const rolledBack = rolledBackOf(state);
  return rolledBack ? { rolledBack: { ...rolledBack, system } } : {};
}
