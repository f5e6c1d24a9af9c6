/**
 * Notifies receivers of the end of an attempt, as a part of its record.
 *
 * @module
 */
import { tellsAny } from "../config/told.ts";
import type { Ended, Run } from "../run/run.ts";
import type { State } from "../state/state.ts";

/** Queues the messages; those that cannot be queued wait in the state. */
export async function toldOf(
  run: Run,
  ended: Ended,
): Promise<Pick<State, "untold">> {
  if (!tellsAny(run.config)) return {};
  const { tellEnded } = await import("../notify/attempt.ts");
  const untold = await tellEnded(run, ended);
  if (untold.length === 0) return {};
  const { withUntold } = await import("../notify/untold.ts");
  return withUntold(run.state, untold);
}
