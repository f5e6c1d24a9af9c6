/**
 * What a switch to a system would do with the units of this host.
 *
 * @module
 */
import type { UnitState } from "../host/units.ts";
import type { DryWords } from "./dry_words.ts";
import { newMounts } from "./mounts.ts";
import {
  compareFiles,
  type FileChanges,
  pulledIn,
  systemUnits,
  textOf,
  unitFiles,
  userUnits,
} from "./unit_files.ts";

/** What would happen to the units. A unit is in one of the lists. */
export interface UnitPlan {
  /** Units that did not run before, and that the old system did not have. */
  start: readonly string[];
  /** Units that the old system has, and that do not run now. */
  again: readonly string[];
  /** Units that run now, and after a pause run again. */
  restart: readonly string[];
  /** Units that are stopped, and that their socket starts when it is used. */
  onDemand: readonly string[];
  /** Units that run now, and do not any more. */
  stop: readonly string[];
  reload: readonly string[];
  /** Units that changed, and go on running as they are. */
  keep: readonly string[];
  /** Swap devices that would be turned off. */
  swapOff: readonly string[];
  /** Whether systemd would execute itself anew. */
  reexec: boolean;
  /** What else the switch said. */
  other: readonly string[];
}

/** What a system has, compared with another one; no host is looked at. */
export interface UnitFileChanges {
  /** Units of the system. */
  system: FileChanges;
  /** Units of its users, of which a dry activation says nothing. */
  user: FileChanges;
}

/** Compares the unit files of two systems; all are new where there is no old. */
export function compareUnitFiles(
  before: string | null,
  after: string,
): UnitFileChanges {
  const compare = (folder: string) =>
    compareFiles(
      before === null ? new Map() : unitFiles(before, folder),
      unitFiles(after, folder),
    );
  return { system: compare(systemUnits), user: compare(userUnits) };
}

/**
 * What would happen, from the words of a dry activation, the units that run,
 * and the unit files: a target starts what it wants and does not run, and what
 * is stopped takes with it what requires it.
 *
 * @param states All units; none where systemd does not run or answer.
 */
export function unitPlan(
  words: DryWords,
  states: readonly UnitState[],
  before: string | null,
  after: string,
): UnitPlan {
  const byName = new Map(states.map((one) => [one.name, one]));
  const runs = (unit: string) =>
    ["active", "activating", "reloading"].includes(
      byName.get(unit)?.active ?? "",
    );
  // It also names what goes and does not run: nothing happens to that.
  const stopped = withDependents(
    words.stop.filter((unit) => states.length === 0 || runs(unit)),
    byName,
    runs,
  );
  const restarted = withDependents(words.restart, byName, runs);
  const started = new Set([
    ...words.start,
    ...states.length === 0
      ? []
      : startedByTargets(words, states, before, after, (unit) =>
        runs(unit) && !stopped.has(unit)),
  ]);
  const isBack = (unit: string) => started.has(unit) && stopped.has(unit);
  const restart = [...new Set([...restarted, ...stopped])].filter((unit) =>
    isBack(unit) || restarted.has(unit)
  );
  const gone = [...stopped].filter((unit) => !restart.includes(unit));
  const isOnDemand = (unit: string) =>
    textOf(`${after}/${systemUnits}`, unit).trim() !== "" &&
    socketsOf(unit, byName).some((socket) => started.has(socket));
  const fresh = [...started].filter((unit) => !stopped.has(unit));
  const old = before === null ? undefined : unitFiles(before, systemUnits);
  const isKnown = (unit: string) =>
    old?.has(unit) === true || byName.get(unit)?.load === "loaded";
  return {
    start: sorted(fresh.filter((unit) => !isKnown(unit))),
    again: sorted(fresh.filter(isKnown)),
    restart: sorted(restart),
    onDemand: sorted(gone.filter(isOnDemand)),
    stop: sorted(gone.filter((unit) => !isOnDemand(unit))),
    reload: sorted(words.reload.filter((unit) => !restarted.has(unit))),
    keep: words.keep,
    swapOff: words.swapOff,
    reexec: words.reexec,
    other: words.other,
  };
}

const sorted = (units: readonly string[]) => [...units].sort();

/** Units, and what systemd stops or restarts together with them. */
function withDependents(
  units: readonly string[],
  byName: ReadonlyMap<string, UnitState>,
  runs: (unit: string) => boolean,
): Set<string> {
  const found = new Set(units);
  for (const unit of found) {
    const { requiredBy = [], parts = [] } = byName.get(unit) ?? {};
    // A set that grows while it is gone through is gone through to its end.
    for (const one of [...requiredBy, ...parts]) {
      if (runs(one) && !one.endsWith(".target")) found.add(one);
    }
  }
  return found;
}

/** What the targets pull in that each switch starts. */
function startedByTargets(
  words: DryWords,
  states: readonly UnitState[],
  before: string | null,
  after: string,
  runs: (unit: string) => boolean,
): string[] {
  const folder = `${after}/${systemUnits}`;
  const targets = states.filter(({ name, active }) =>
    name.endsWith(".target") && active === "active"
  ).map(({ name }) => name).filter((name) => isStarted(folder, name));
  const from = [...targets, ...words.start, ...words.restart];
  const mounts = newMounts(before, after).filter((unit) => !runs(unit));
  return [...pulledIn(after, from, runs), ...mounts];
}

const asleep = ["suspend.target", "hibernate.target", "hybrid-sleep.target"];

/**
 * Whether a switch starts a target that is active. A target without a file in
 * the system can have links of the system's all the same: its own are systemd's.
 */
function isStarted(folder: string, target: string): boolean {
  if (asleep.includes(target)) return false;
  return !/^(?:RefuseManualStart|X-OnlyManualStart)=(?:1|yes|true|on)$/m
    .test(textOf(folder, target));
}

function socketsOf(
  unit: string,
  byName: ReadonlyMap<string, UnitState>,
): string[] {
  const { triggeredBy = [] } = byName.get(unit) ?? {};
  return [...triggeredBy, unit.replace(/(?:@.*)?\.service$/, ".socket")];
}
