/**
 * Finds other programs that switch this host by themselves. Two of them would
 * undo each other's work.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import { hasSystemd } from "./system.ts";
import { propertiesOf } from "./systemd.ts";

/** A unit that switches this host. */
export interface OtherAgent {
  unit: string;
  /** What removes it, for a hint. */
  fix: string;
}

const known: readonly OtherAgent[] = [
  {
    unit: "comin.service",
    fix: "Remove services.comin from the host's configuration.",
  },
  {
    unit: "nixos-upgrade.timer",
    fix: "Remove system.autoUpgrade from the host's configuration.",
  },
];

/** Returns those that run on this host; none without systemd. */
export async function otherAgents(
  effects: Pick<Effects, "run">,
): Promise<OtherAgent[]> {
  if (!hasSystemd()) return [];
  const found: OtherAgent[] = [];
  for (const agent of known) {
    const { ActiveState } = await propertiesOf(effects, agent.unit, [
      "ActiveState",
    ]);
    if (ActiveState === "active" || ActiveState === "activating") {
      found.push(agent);
    }
  }
  return found;
}
