/**
 * What else brings this host to another system by itself: two that do so undo
 * each other's work.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import { hasSystemd } from "./system.ts";
import { propertiesOf } from "./systemd.ts";

/** A unit that switches this host. */
export interface OtherAgent {
  unit: string;
  /** What takes it away. */
  mend: string;
}

const known: readonly OtherAgent[] = [
  {
    unit: "comin.service",
    mend: "take services.comin out of the host's configuration",
  },
  {
    unit: "nixos-upgrade.timer",
    mend: "take system.autoUpgrade out of the host's configuration",
  },
];

/** Those of them that run on this host; none where there is no systemd. */
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
