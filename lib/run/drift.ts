/**
 * How a host differs from the deployed system: somebody switched it by hand.
 *
 * @module
 */
import type { BootEntry } from "../host/boot_entry.ts";
import type { Systems } from "../host/system.ts";
import type { Deployment, State } from "../state/state.ts";
import { runningTest } from "./testing.ts";

/** A difference from what was confirmed last: somebody switched by hand. */
export interface Drift {
  /** Which of the two links differs, or what the bootloader starts. */
  what: "running system" | "boot default" | "boot entry";
  expected: string;
  actual: string | null;
}

/** Returns how the host differs from what it should run, including a test. */
export function driftNow(
  { state, systems, misled }: {
    state: Pick<State, "lastGood" | "testing">;
    systems: Systems;
    misled?: BootEntry;
  },
): Drift | undefined {
  const test = runningTest(state, systems);
  // A test replaces only the running system, not the boot default.
  return driftOf(
    state.lastGood,
    test ? { ...systems, running: state.lastGood?.system ?? null } : systems,
    misled,
  );
}

/** Returns how the host differs from what was confirmed last, without a test. */
export function driftOf(
  lastGood: Deployment | undefined,
  systems: Systems,
  misled?: BootEntry,
): Drift | undefined {
  if (!lastGood) return undefined;
  const expected = lastGood.system;
  const { operation } = lastGood.target;
  const runs = operation === "switch" || operation === "test";
  const boots = operation === "switch" || operation === "boot";
  if (runs && systems.running !== expected) {
    return { what: "running system", expected, actual: systems.running };
  }
  if (boots && systems.bootDefault !== expected) {
    return { what: "boot default", expected, actual: systems.bootDefault };
  }
  if (boots && misled) {
    return { what: "boot entry", expected, actual: misled.system };
  }
  return undefined;
}
