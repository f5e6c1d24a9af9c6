/**
 * The hosts of a fleet and their states.
 *
 * @module
 */

/** The states of a host, the most urgent first. */
export const fleetStates = [
  /** It is unhealthy, and manual action is needed. */
  "needs-person",
  /** Its last attempt failed, or a fault lasts. */
  "failing",
  /** The revision in Git is blocked on it. */
  "held",
  /** There is no fresh data about it. */
  "silent",
  /** Its data is not enough to tell the state. */
  "unknown",
  /** Somebody switched it by hand. */
  "drift",
  /** A person rolled it back. */
  "rolled-back",
  "suspended",
  /** It waits for a person's approval. */
  "unapproved",
  /** It waits for a gate to open. */
  "gated",
  /** It does not run the revision in Git yet. */
  "behind",
  /** It runs the revision in Git, and needs a reboot. */
  "reboot",
  /** It runs the revision in Git. */
  "ok",
] as const;

/** One of {@linkcode fleetStates}. */
export type FleetState = (typeof fleetStates)[number];

/** The known data about one host. */
export interface FleetHost {
  host: string;
  /** Its ring; `null` if it has none or if that is unknown. */
  ring: string | null;
  state: FleetState;
  /** Why it is in that state, in one line; empty if it is healthy. */
  why: string;
  /** The last deployed revision. */
  revision: string | null;
  /** The last known revision of the ref. */
  seen: string | null;
  /** Milliseconds: the age of the oldest commit that is not deployed. */
  behind: number | null;
  /** When its last deployment was confirmed, ISO 8601. */
  since: string | null;
  /** The gate that it waits for. */
  gate: string | null;
  /** When it last queried the repository successfully, ISO 8601. */
  checkedAt: string | null;
}

/** Reports whether a host runs the revision in Git and is healthy. */
export function isHealthy({ state }: Pick<FleetHost, "state">): boolean {
  return state === "ok" || state === "reboot";
}

/** Sorts hosts by urgency, then by name. */
export function sorted(hosts: readonly FleetHost[]): FleetHost[] {
  const rank = ({ state }: FleetHost) => fleetStates.indexOf(state);
  const byName = new Intl.Collator("en", { numeric: true }).compare;
  return hosts.toSorted((a, b) => rank(a) - rank(b) || byName(a.host, b.host));
}

/** Returns a host of which only the name is known. */
export function unknownHost(host: string, why: string): FleetHost {
  return {
    host,
    ring: null,
    state: "silent",
    why,
    revision: null,
    seen: null,
    behind: null,
    since: null,
    gate: null,
    checkedAt: null,
  };
}
