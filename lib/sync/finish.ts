/**
 * What comes after the work of a run: garbage and reboots.
 *
 * @module
 */
import { type Effects, say } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import type { Config } from "../config/schema.ts";
import type { State } from "../state/state.ts";
import type { Outcome } from "./outcome.ts";

/** Whether a reboot is due, now or in a window to come. */
export async function isRebootDue(
  effects: Effects,
  config: Config,
  state: State,
): Promise<boolean> {
  if (config.reboot === "never") return false;
  const { dueReboot } = await import("./reboot.ts");
  return dueReboot(config, state, effects.now()) !== undefined;
}

/** Results after which a run does not continue with garbage and reboots. */
const resting = [
  "failed",
  "interrupted",
  "built",
  "starting",
  "unapproved",
  "gated",
  // A reboot would need a slot too, and begin another wait in place of this one.
  "queued",
];

/**
 * Collects garbage and reboots, if the host is in the right state. If it is
 * interrupted, that does not change how the run ended.
 */
export async function finishUp(
  effects: Effects,
  config: Config,
  outcome: Outcome,
): Promise<void> {
  const { result } = outcome;
  if (resting.includes(result)) return;
  try {
    if (config.garbageCollect && "run" in outcome) {
      const { collect } = await import("../nix/retention.ts");
      await collect(effects);
    }
    if (config.reboot === "never") return;
    const { rebootIfDue } = await import("./reboot.ts");
    await rebootIfDue(effects, config);
  } catch (error) {
    const isCut = error instanceof SyncError && error.reason === "interrupted";
    if (!isCut) throw error;
    say(effects, "warning", error.message);
  }
}
