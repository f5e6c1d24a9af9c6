/**
 * The hosts of a fleet, and how each stands.
 *
 * @module
 */

/** How a host stands. The order is that in which they need a person. */
export const fleetStates = [
  /** It is not well, and could not go back. */
  "needs-person",
  /** Its last attempt failed, or a fault lasts. */
  "failing",
  /** It holds the revision that Git names. */
  "held",
  /** Nothing fresh is known of it. */
  "silent",
  /** What is known of it does not tell how it stands. */
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
  /** It does not run yet what it should. */
  "behind",
  /** It runs what it should, and needs a reboot. */
  "reboot",
  /** It runs what it should. */
  "ok",
] as const;

/** One of {@linkcode fleetStates}. */
export type FleetState = (typeof fleetStates)[number];

/** What is known of one host. */
export interface FleetHost {
  host: string;
  /** Its ring; `null`: it has none, or that is not known. */
  ring: string | null;
  state: FleetState;
  /** Why it is in that state, in one line; empty where it is well. */
  why: string;
  /** What was deployed last. */
  revision: string | null;
  /** What the repository named last, as far as the host knows. */
  seen: string | null;
  /** Milliseconds: the age of the oldest commit that is not deployed. */
  behind: number | null;
  /** When its last deployment was confirmed, ISO 8601. */
  since: string | null;
  /** The gate that it waits for. */
  gate: string | null;
  /** When it asked the repository last with success, ISO 8601. */
  checkedAt: string | null;
}

/** States of a host that runs what it should and is well. */
export function isGood({ state }: Pick<FleetHost, "state">): boolean {
  return state === "ok" || state === "reboot";
}

/** Sorts hosts: first what needs a person first, then by name. */
export function sorted(hosts: readonly FleetHost[]): FleetHost[] {
  const rank = ({ state }: FleetHost) => fleetStates.indexOf(state);
  const byName = new Intl.Collator("en", { numeric: true }).compare;
  return hosts.toSorted((a, b) => rank(a) - rank(b) || byName(a.host, b.host));
}

/** A host of which nothing is known but its name. */
export function unheard(host: string, why: string): FleetHost {
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
