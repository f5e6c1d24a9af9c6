/**
 * When this host first saw each tip of the ref, across reboots and changes of the
 * clock.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import type { Tip } from "../base/tip.ts";
import type { Config } from "../config/schema.ts";
import { bootClock } from "../host/boot_clock.ts";
import { anchored } from "../run/approval.ts";
import { sightingsAfter } from "../run/soak.ts";
import type { State } from "../state/state.ts";
import { writeState } from "../state/state_file.ts";

/** Adds the current tip to the sightings, and writes the state if it changed. */
export async function seeTip(
  effects: Effects,
  config: Config,
  state: State,
  tip: Tip,
): Promise<State> {
  const now = effects.now();
  const clock = bootClock();
  const sightings = sightingsAfter(state, config, tip, now, clock)
    .map((one) => anchored(one, now, clock));
  const isSame =
    JSON.stringify(sightings) === JSON.stringify(state.sightings ?? []);
  if (isSame) return state;
  const next: State = { ...state, sightings };
  await writeState(config.stateDirectory, next);
  return next;
}
