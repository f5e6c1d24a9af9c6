/**
 * Telling others how an attempt ended, as a part of its record.
 *
 * @module
 */
import { tellsAny } from "../config/told.ts";
import type { Ended, Run } from "../run/run.ts";
import type { State } from "../state/state.ts";

/** Tells the end; what could not be put into the spool waits in the state. */
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
