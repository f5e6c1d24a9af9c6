/**
 * How a host stood before something was done to it.
 *
 * @module
 */
import type { Family } from "../host/routes.ts";

/** How the units stood. */
export interface UnitsBefore {
  /** The units that were active, with the invocation where it is known. */
  readonly ran: ReadonlyMap<string, string>;
  /** The units that were not well: nobody's fault later. */
  readonly failed: ReadonlySet<string>;
  /**
   * The units that something named, and that were not there; `undefined` where
   * that is not known.
   */
  readonly absent?: ReadonlySet<string>;
  /** The units that were starting: perhaps long jobs, which nobody waits for. */
  readonly starting: ReadonlySet<string>;
  /** The units that systemd restarted again and again even then. */
  readonly flapping: ReadonlySet<string>;
}

/** All of it. */
export interface Standing {
  readonly units: UnitsBefore;
  /** The default routes that there were. */
  readonly routes: readonly Family[];
}

/** Where nothing is known, and so nothing is compared. */
export const noStanding: Standing = {
  units: {
    ran: new Map(),
    failed: new Set(),
    starting: new Set(),
    flapping: new Set(),
  },
  routes: [],
};

/** What is known of it from names alone, as they were written down. */
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
