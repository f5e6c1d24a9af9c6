/**
 * Work that earlier runs, reboots and people have left for this run.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import type { Config } from "../config/schema.ts";
import { isCounted } from "../host/boot_count.ts";
import { hasCounters } from "../host/boot_entry.ts";
import { bootId, runningSystem } from "../host/system.ts";
import { rolledBackOf } from "../run/decide.ts";
import type { Record } from "../run/run.ts";
import type { State } from "../state/state.ts";
import { readState } from "../state/state_file.ts";
import { readSuspension } from "../state/suspension.ts";
import type { Found } from "./outcome.ts";
import type { Wishes } from "./wishes.ts";

/** Does this work first, before the query to the remote. */
export async function whatIsLeft(
  effects: Effects,
  config: Config,
  wishes: Wishes,
  record: Record,
): Promise<Found> {
  const folder = config.stateDirectory;
  let state = await readState(folder);
  const suspension = readSuspension(folder, effects.now());
  // A program reads the ID of the boot, so it is read only once.
  let boot: string | undefined;
  const unproven = () => isUnproven(state, () => boot ??= bootId());
  const isLeft = state.attempt !== undefined ||
    (state.reboot !== undefined && !state.reboot.result) ||
    (!suspension && unproven());
  if (isLeft && await mustWait(effects)) {
    return { outcome: { result: "starting" } };
  }
  if (state.unwritten) {
    const { writeWaiting } = await import("../state/unwritten.ts");
    state = await writeWaiting(effects, folder, state);
  }
  if (state.untold) {
    const { tellLate } = await import("../notify/untold.ts");
    state = await tellLate(effects, folder, state);
  }
  if (state.attempt) {
    const { recoverFirst } = await import("./recover.ts");
    state = await recoverFirst(effects, config, state, record);
  }
  if (state.reboot && !state.reboot.result) {
    const { afterReboot } = await import("./reboot.ts");
    const found = await afterReboot(effects, config, state, record);
    if (found.outcome) return found;
    state = found.state;
  }
  // A retry does not end a suspension or a lasting rollback.
  const stays = suspension !== undefined || rolledBackOf(state) !== undefined;
  if (wishes.retry && !stays) {
    const { forget } = await import("./forget.ts");
    state = await forget(folder, state, effects.now());
  }
  if (suspension || !unproven()) await bless(effects, config, state);
  if (suspension) return { outcome: { result: "suspended", suspension } };
  if (mayHaveFallenBack(state)) {
    const { afterFallback } = await import("./boot_counting.ts");
    return await afterFallback(effects, config, state, record);
  }
  if (!unproven()) return { state };
  const { proveBoot } = await import("./booted.ts");
  return await proveBoot(effects, config, state, record);
}

/** Marks the boot as good, so that the bootloader keeps the system. */
async function bless(
  effects: Effects,
  config: Config,
  state: State,
): Promise<void> {
  // A program queries the firmware; few hosts need that.
  if (!hasCounters() || !isCounted()) return;
  const { blessIfWell } = await import("./boot_counting.ts");
  await blessIfWell(effects, config, state);
}

/** Whether an unchecked boot started another system than the last good one. */
function mayHaveFallenBack({ lastGood }: State): boolean {
  return lastGood !== undefined && !lastGood.booted &&
    lastGood.target.operation !== "test" &&
    lastGood.system !== runningSystem() && lastGood.boot !== bootId();
}

/** Whether the host is still starting and must not be changed or judged. */
export async function mustWait(effects: Effects): Promise<boolean> {
  const { isDeferred } = await import("./starting.ts");
  return await isDeferred(effects);
}

/** Whether this is the first, unchecked boot with the last good system. */
function isUnproven(
  { lastGood, reboot }: State,
  boot: () => string,
): boolean {
  return lastGood !== undefined && !lastGood.booted &&
    lastGood.boot !== boot() && lastGood.system === runningSystem() &&
    // A reboot by a run is checked separately.
    reboot?.system !== lastGood.system;
}
