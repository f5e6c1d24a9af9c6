/**
 * Reads the unit files of a system, and what its targets start.
 *
 * A dry activation names no unit that a target starts. Each switch starts the
 * targets again, and with them all units that are new or stopped. So this reads
 * the dependencies of targets.
 *
 * @module
 */
import { readIfThere } from "../host/files.ts";

/** The folder of the system units in a system. */
export const systemUnits = "etc/systemd/system";

/** The folder of the user units in a system. */
export const userUnits = "etc/systemd/user";

/** The unit files of one folder: each name with its link target. */
export type UnitFiles = ReadonlyMap<string, string>;

/**
 * Lists the unit files and drop-ins of a system. A drop-in counts as its unit.
 *
 * @param folder {@linkcode systemUnits} or {@linkcode userUnits}.
 */
export function unitFiles(system: string, folder: string): UnitFiles {
  const files = new Map<string, string>();
  const add = (unit: string, to: string) =>
    files.set(unit, [files.get(unit), to].filter(Boolean).sort().join(" "));
  for (const { name, isDirectory } of entriesOf(`${system}/${folder}`)) {
    const path = `${system}/${folder}/${name}`;
    if (!isDirectory && /\.[a-z]+$/.test(name)) add(name, targetOf(path));
    if (!isDirectory || !name.endsWith(".d")) continue;
    for (const dropIn of entriesOf(path)) {
      const to = targetOf(`${path}/${dropIn.name}`);
      add(name.slice(0, -2), `${dropIn.name}:${to}`);
    }
  }
  return files;
}

/** The differences between the unit files of two systems. */
export interface FileChanges {
  added: readonly string[];
  removed: readonly string[];
  changed: readonly string[];
}

/** Compares the unit files of two systems. */
export function compareFiles(before: UnitFiles, after: UnitFiles): FileChanges {
  const names = (files: UnitFiles) =>
    [...files.keys()].filter((name) => !isMasked(files.get(name))).sort();
  const added = names(after).filter((one) => !isThere(before, one));
  const removed = names(before).filter((one) => !isThere(after, one));
  const changed = names(after).filter((one) =>
    isThere(before, one) && before.get(one) !== after.get(one)
  );
  return { added, removed, changed };
}

const isMasked = (to: string | undefined) => to === "/dev/null";

const isThere = (files: UnitFiles, name: string) =>
  files.has(name) && !isMasked(files.get(name));

/** Units that start with targets. */
export type Pulled = ReadonlySet<string>;

/**
 * Returns all stopped units that start with other units: their dependencies, and
 * the dependencies of these, according to the unit files of a system.
 *
 * @param from The units that are started.
 * @param runs Whether a unit runs: starting it again does nothing, unless it is
 * a target, which each switch starts.
 */
export function pulledIn(
  system: string,
  from: readonly string[],
  runs: (unit: string) => boolean,
): Pulled {
  const folder = `${system}/${systemUnits}`;
  const seen = new Set<string>(from), found = new Set<string>();
  const queue = [...from];
  for (let unit = queue.pop(); unit !== undefined; unit = queue.pop()) {
    for (const wanted of wantedBy(folder, unit)) {
      if (seen.has(wanted)) continue;
      seen.add(wanted);
      if (fileOf(folder, wanted) === undefined || runs(wanted)) continue;
      queue.push(wanted);
      if (!wanted.endsWith(".target")) found.add(wanted);
    }
  }
  return found;
}

/** Returns what a unit wants or requires, by links and by its settings. */
function wantedBy(folder: string, unit: string): string[] {
  const links = [".wants", ".requires", ".upholds"].flatMap((how) =>
    entriesOf(`${folder}/${unit}${how}`).map(({ name }) => name)
  );
  const text = textOf(folder, unit);
  const words = [
    ...text.matchAll(/^(?:Wants|Requires|BindsTo|Upholds)=(.*)$/gm),
  ].flatMap(([, list]) => list!.split(/\s+/));
  return [...links, ...words].filter((name) => /\.[a-z]+$/.test(name));
}

/** Returns the text of a unit with its drop-ins; empty if it has no file. */
export function textOf(folder: string, unit: string): string {
  const file = fileOf(folder, unit);
  const dropIns = entriesOf(`${folder}/${unit}.d`)
    .map(({ name }) => readIfThere(`${folder}/${unit}.d/${name}`) ?? "");
  return [file === undefined ? "" : readIfThere(file) ?? "", ...dropIns]
    .join("\n");
}

/** Returns the file of a unit, or of its template; nothing if it is masked. */
function fileOf(folder: string, unit: string): string | undefined {
  const template = unit.replace(/@.+(\.[a-z]+)$/, "@$1");
  const path = [unit, template].map((name) => `${folder}/${name}`)
    .find((one) => exists(one));
  return path === undefined || targetOf(path) === "/dev/null"
    ? undefined
    : path;
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Resolves the links of a path; returns the path itself if that fails. */
function targetOf(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    return path;
  }
}

/** Lists the entries of a folder; a link to a folder counts as a folder. */
function entriesOf(folder: string): { name: string; isDirectory: boolean }[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name, isDirectory }) => ({
      name,
      isDirectory: isDirectory || isFolder(`${folder}/${name}`),
    })).sort((a, b) => a.name < b.name ? -1 : 1);
  } catch {
    return [];
  }
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
