/**
 * How long this host has known a revision, and which revision has soaked. Pure.
 *
 * @module
 */
import type { Tip } from "../base/tip.ts";
import type { Config } from "../config/schema.ts";
import { isPattern } from "../config/tag_pattern.ts";
import type { Sighting, State, Target } from "../state/state.ts";
import { holdOf } from "./holding.ts";
import { sameTarget } from "./target.ts";

/** More are not remembered; see {@linkcode sightingsAfter}. */
const mostSightings = 100;

/** Whether a revision has been known for long enough. */
export function hasSoaked(
  sighting: Pick<Sighting, "since">,
  soak: number,
  now: Date,
): boolean {
  return soakEnd(sighting, soak) <= now.getTime();
}

/** Returns when a revision has soaked, in milliseconds since 1970. */
export function soakEnd(
  { since }: Pick<Sighting, "since">,
  soak: number,
): number {
  return Date.parse(since) + soak;
}

/** Returns when this host first saw a revision, if it remembers. */
export function sightingOf(
  { sightings = [] }: Pick<State, "sightings">,
  revision: string,
): Sighting | undefined {
  return sightings.find((one) => one.revision === revision);
}

type Place = Pick<Target, "repository" | "ref">;

const isOf = (one: Sighting, { repository, ref }: Place) =>
  one.repository === repository && one.ref === ref;

/**
 * Returns the sightings of a ref, after it was seen at a tip. It keeps nothing
 * older than the last deployment. If there are too many, it drops those that are
 * closest in time to their neighbours. If it dropped the oldest, a branch that
 * moves all the time would never have a revision that has soaked.
 *
 * @param clock The monotonic clock.
 */
export function sightingsAfter(
  { sightings = [], lastGood, seen }: State,
  place: Place,
  tip: Tip,
  now: Date,
  clock: NonNullable<Sighting["clock"]>,
): readonly Sighting[] {
  const { revision, name } = tip;
  const known = sightings.find((one) => one.revision === revision);
  // A mirror that is behind names it: what is newer may come again.
  const isDone = known && isOf(known, place) &&
    revision === lastGood?.revision;
  if (isDone) return sightings;
  // Where nothing was remembered yet, the state may know since when it is there.
  const at = now.toISOString();
  const isSeen = sightings.length === 0 && seen?.revision === revision &&
    seen.ref === place.ref && Date.parse(seen.at) <= now.getTime();
  const { since, clock: then } = known ??
    (isSeen ? { since: seen.at, clock: undefined } : { since: at, clock });
  const own: Sighting = {
    repository: place.repository,
    ref: place.ref,
    revision,
    ...isPattern(place.ref) ? { name } : {},
    since,
    ...then ? { clock: then } : {},
  };
  const others = sightings.filter((one) =>
    isOf(one, place) && one.revision !== revision
  );
  const all = [...others, own];
  const from = all.findIndex((one) => one.revision === lastGood?.revision);
  return thinned(from === -1 ? all : all.slice(from));
}

function thinned(all: Sighting[]): Sighting[] {
  while (all.length > mostSightings) {
    const times = all.map(({ since }) => Date.parse(since));
    let least = 1;
    for (let i = 2; i < all.length - 1; i++) {
      const gap = (at: number) => times[at + 1]! - times[at - 1]!;
      if (gap(i) < gap(least)) least = i;
    }
    all = all.toSpliced(least, 1);
  }
  return all;
}

/** The facts for the choice of a revision. */
interface Choice {
  tip: Tip;
  state: State;
  target: Target;
  config:
    & Pick<Config, "allowForcePush" | "approval">
    & Partial<Pick<Config, "gates.soak">>;
  now: Date;
}

/**
 * Returns what a run deploys: the tip of the ref or, if the tip has not soaked,
 * the newest earlier tip that has.
 *
 * Only a branch and a pattern of tags have earlier tips. With approval, only the
 * current tip counts. If a revision failed here, no older one replaces it.
 */
export function soakedTip(choice: Choice): Tip {
  const { tip, state, target, config, now } = choice;
  const soak = config["gates.soak"];
  const mayBe = tip.kind === "branch" || isPattern(target.ref);
  if (soak === undefined || !mayBe || target.operation === "build") return tip;
  if (config.approval !== "none") return tip;
  const sightings = state.sightings?.filter((one) => isOf(one, target)) ?? [];
  const at = sightings.findIndex(({ revision }) => revision === tip.revision);
  if (at === -1 || hasSoaked(sightings[at]!, soak, now)) return tip;
  const soaked = newSightings(state, target, sightings.slice(0, at))
    .findLast((one) => hasSoaked(one, soak, now));
  if (!soaked || holdOf(state, soaked, target, config)) return tip;
  const { servedBy } = tip;
  return {
    revision: soaked.revision,
    kind: tip.kind,
    name: soaked.name ?? tip.name,
    newest: tip.revision,
    ...servedBy ? { servedBy } : {},
  };
}

/**
 * Returns the sightings that are newer than the last deployment; with another
 * target, that deployment is one of them. If it was never seen (`--now`, a
 * rollback), it returns those that were seen after it was deployed.
 */
function newSightings(
  { lastGood }: State,
  target: Target,
  sightings: readonly Sighting[],
): readonly Sighting[] {
  if (!lastGood) return sightings;
  const { revision, at: since } = lastGood;
  const at = sightings.findIndex((one) => one.revision === revision);
  if (at === -1) {
    return sightings.filter((one) => Date.parse(one.since) > Date.parse(since));
  }
  const isDone = sameTarget(lastGood.target, target);
  return sightings.slice(isDone ? at + 1 : at);
}

/** The reason if the ref no longer has the attempted revision. */
export const goneReason = "soaked-gone";
