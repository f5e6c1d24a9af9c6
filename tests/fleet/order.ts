/**
 * What a rollout promises about the order in which hosts change: never more of a
 * ring at once than there are slots, and no ring before the one before it.
 *
 * @module
 */

/** Something that a host did, or that was done to its slot. */
export interface Event {
  /** Milliseconds. */
  at: number;
  host: string;
  ring: number;
  revision: string;
  /**
   * `begin`: its activation began; `end`: it was confirmed healthy; `freed`: a
   * person freed its slot.
   */
  kind: "begin" | "end" | "freed";
}

/** In the order of time. */
function inOrder(events: readonly Event[]): Event[] {
  return [...events].sort((a, b) => a.at - b.at);
}

/** The most hosts of a ring that were changed and not healthy yet at a time. */
export function mostAtOnce(events: readonly Event[], ring: number): number {
  const working = new Set<string>();
  let most = 0;
  for (const { host, ring: of, kind } of inOrder(events)) {
    if (of !== ring) continue;
    if (kind === "begin") working.add(host);
    else working.delete(host);
    most = Math.max(most, working.size);
  }
  return most;
}

/**
 * The hosts that began with a revision before all of the ring before were
 * healthy with it.
 *
 * @param rings How many hosts each ring has.
 */
export function early(
  events: readonly Event[],
  rings: readonly number[],
): string[] {
  const healthy = new Map<string, Set<string>>();
  const found = new Set<string>();
  for (const { host, ring, revision, kind } of inOrder(events)) {
    const of = (ring: number) => `${ring} ${revision}`;
    if (kind === "end") {
      const hosts = healthy.get(of(ring)) ?? new Set();
      healthy.set(of(ring), hosts.add(host));
    }
    if (kind !== "begin" || ring === 0) continue;
    const before = healthy.get(of(ring - 1))?.size ?? 0;
    if (before < rings[ring - 1]!) found.add(host);
  }
  return [...found];
}

/**
 * Reads what a host wrote down: `slot AT REVISION SYSTEM` before each
 * activation, `begin AT SYSTEM` in it, and `end AT REVISION` once healthy. A
 * system that is activated without a slot is a rollback, and counts as nothing.
 *
 * @param text Times are in nanoseconds.
 */
export function eventsOf(
  text: string,
  host: string,
  ring: number,
): Event[] {
  let slot = { revision: "", system: "" };
  const events: Event[] = [];
  for (const line of text.split("\n")) {
    const [kind, nanoseconds, what = "", system = ""] = line.split(" ");
    const at = Number(nanoseconds) / 1e6;
    if (kind === "slot") slot = { revision: what, system };
    if (kind === "begin" && what === slot.system) {
      events.push({ at, host, ring, revision: slot.revision, kind });
    }
    if (kind === "end") events.push({ at, host, ring, revision: what, kind });
  }
  return events;
}
