/**
 * `gates.soak`: how long this host has known the revision.
 *
 * @module
 */
import { formatDuration } from "../base/duration.ts";
import { hasSoaked, sightingOf, soakEnd } from "../run/soak.ts";
import type { State } from "../state/state.ts";
import { type Answer, closed } from "./answer.ts";

/** Reports whether a revision has soaked. */
export function askSoak(
  soak: number,
  state: Pick<State, "sightings">,
  revision: string,
  now: Date,
): Answer {
  const sighting = sightingOf(state, revision);
  // The branch moved during the build.
  if (!sighting) {
    return closed("this host has not recorded when it first saw the revision");
  }
  const lasted = now.getTime() - Date.parse(sighting.since);
  const why = `known for ${formatDuration(Math.max(0, lasted))} of ${
    formatDuration(soak)
  }`;
  const until = new Date(soakEnd(sighting, soak)).toISOString();
  return hasSoaked(sighting, soak, now)
    ? { isOpen: true, why: `known for at least ${formatDuration(soak)}` }
    : { isOpen: false, why, until };
}
