/**
 * Finds what a switch to a system would do with the units of this host.
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

/** What would happen to the units. Each unit is in only one list. */
export interface UnitPlan {
  /** Units that do not run now, and that the old system does not have. */
  start: readonly string[];
  /** Units that do not run now, and that the old system has. */
  again: readonly string[];
  /** Units that run now, stop and start again. */
  restart: readonly string[];
  /** Units that stop, and that their socket starts when it is used. */
  onDemand: readonly string[];
  /** Units that run now, and stop. */
  stop: readonly string[];
  reload: readonly string[];
  /** Changed units that continue to run as they are. */
  keep: readonly string[];
  /** Swap devices that would be turned off. */
  swapOff: readonly string[];
  /** Whether systemd would re-execute itself. */
  reexec: boolean;
  /** Other output of the switch. */
  other: readonly string[];
}

/** The differences between the unit files of two systems, whatever runs. */
export interface UnitFileChanges {
  /** Units of the system. */
  system: FileChanges;
  /** Units of users, which a dry activation does not report. */
  user: FileChanges;
}

/** Compares the unit files of two systems; all are new if there is no old one. */
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
 * Works out what would happen from the output of a dry activation, the running
 * units, and the unit files. A target starts what it wants if that does not run.
 * A unit that stops also stops the units that require it.
 *
 * @param states All units; none if systemd does not run or answer.
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
  // It also names removed units that do not run: nothing happens to them.
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

/** Returns units with those that systemd stops or restarts together with them. */
function withDependents(
  units: readonly string[],
  byName: ReadonlyMap<string, UnitState>,
  runs: (unit: string) => boolean,
): Set<string> {
  const found = new Set(units);
  for (const unit of found) {
    const { requiredBy = [], parts = [] } = byName.get(unit) ?? {};
    // The loop also visits units that are added to the set meanwhile.
    for (const one of [...requiredBy, ...parts]) {
      if (runs(one) && !one.endsWith(".target")) found.add(one);
    }
  }
  return found;
}

/** Returns the units that start with the targets of each switch. */
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
 * Whether a switch starts an active target. A target without a file in the system
 * (one of systemd's own) can still have links in the system.
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
