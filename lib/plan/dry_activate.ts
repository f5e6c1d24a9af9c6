/**
 * Runs the dry activation of a system on this host.
 *
 * @module
 */
import { exists } from "@std/fs";
import { lockForPlan } from "../host/lock.ts";
import { hasSystemd } from "../host/system.ts";
import { lookAtUnits } from "../host/units.ts";
import { isLocked, meaningOf } from "../activation/switching.ts";
import { runOutside, type Switched } from "../run/outside.ts";
import type { Run } from "../run/run.ts";
import { type DryWords, readDryWords } from "./dry_words.ts";
import type { Plan } from "./plan.ts";
import { unitPlan } from "./units.ts";

/**
 * Runs `switch-to-configuration dry-activate` as a sync runs its switch, and
 * reads its output.
 *
 * It holds the lock of switches while it runs, and a run must not meet that
 * lock. So it also holds the lock of runs, and a new run waits.
 *
 * @param state The state folder of the host.
 * @param notes Gets the reason if nothing is known.
 */
export async function dryActivate(
  run: Run,
  state: string,
  before: string | null,
  after: string,
  notes: string[],
): Promise<Pick<Plan, "units"> & { words?: DryWords }> {
  const states = hasSystemd() ? await lookAtUnits(run.effects) ?? [] : [];
  if (hasSystemd() && states.length === 0) {
    notes.push(
      "units: systemd does not report which units run, so units that targets start are missing here",
    );
  }
  const isKnown = await exists(`${state}/lock`);
  using lock = isKnown ? await lockForPlan(state) : undefined;
  if (isKnown && !lock) {
    notes.push(
      "units: unknown, because a run is in progress; run plan again when it has ended",
    );
    return {};
  }
  const argv = [`${after}/bin/switch-to-configuration`, "dry-activate"];
  const switched = await runOutside(
    run,
    argv,
    run.config["timeouts.activate"],
  );
  const words = readDryWords(switched.said);
  const problem = problemWith(switched, words);
  if (problem !== undefined) {
    notes.push(`units: ${problem}`, ...switched.lines.slice(-3));
    return {};
  }
  return { units: unitPlan(words, states, before, after), words };
}

/** Returns why the output can't be used. */
function problemWith(
  switched: Switched,
  words: DryWords,
): string | undefined {
  if (isLocked(switched)) {
    return "unknown, because another switch is in progress";
  }
  if (switched.code !== 0 || switched.timedOut) {
    return `dry-activate failed: ${meaningOf(switched)}`;
  }
  return words.isWhole
    ? undefined
    : "dry-activate ended before it reported the changes";
}
