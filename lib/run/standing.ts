/**
 * The condition of a host before a change.
 *
 * @module
 */
import type { Family } from "../host/routes.ts";

/** The condition of the units. */
export interface UnitsBefore {
  /** The units that were active, with the invocation where it is known. */
  readonly ran: ReadonlyMap<string, string>;
  /** The units that were unhealthy already; the change did not cause that. */
  readonly failed: ReadonlySet<string>;
  /**
   * The units that other units named but that did not exist; `undefined` if
   * unknown.
   */
  readonly absent?: ReadonlySet<string>;
  /** The units that were starting: perhaps long jobs, which are not awaited. */
  readonly starting: ReadonlySet<string>;
  /** The units that systemd restarted again and again even then. */
  readonly flapping: ReadonlySet<string>;
}

/** The condition of the host. */
export interface Standing {
  readonly units: UnitsBefore;
  /** The default routes that there were. */
  readonly routes: readonly Family[];
}

/** An unknown condition, with which nothing is compared. */
export const noStanding: Standing = {
  units: {
    ran: new Map(),
    failed: new Set(),
    starting: new Set(),
    flapping: new Set(),
  },
  routes: [],
};

/** Returns the condition from the stored names of units. */
export function standingOf(
  known: {
    ran?: readonly string[] | undefined;
    failed?: readonly string[] | undefined;
    starting?: readonly string[] | undefined;
    routes?: readonly Family[] | undefined;
  },
): Standing {
  const { ran = [], failed = [], starting = [], routes = [] } = known;
  return {
    units: {
      ran: new Map(ran.map((name) => [name, ""])),
      failed: new Set(failed),
      starting: new Set(starting),
      flapping: new Set(failed),
    },
    routes,
  };
}
