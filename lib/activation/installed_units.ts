/**
 * The units that a system installs, read from the system itself: only those can
 * be its fault.
 *
 * @module
 */
import { errno, isNumbered } from "../base/os_error.ts";

const folderOf = (system: string) => `${system}/etc/systemd/system`;

/** The file of a unit in a system; that of its template for an instance. */
function fileOf(system: string, unit: string): string | undefined {
  const folder = folderOf(system);
  const template = unit.replace(/@.*\./, "@.");
  return [unit, template].map((name) => `${folder}/${name}`)
    .find((path) => textOf(path) !== undefined);
}

/**
 * Tells of a unit's name whether a system installs it.
 *
 * @returns `true` for each where it can't be read what the system installs.
 */
export function installedBy(
  system: string | null,
): (unit: string) => boolean {
  if (system === null || !isFolder(folderOf(system))) return () => true;
  const linked = linkedBy(system);
  return (unit) => linked.has(unit) || fileOf(system, unit) !== undefined;
}

/** The units that a system wants to be started, whether they are there or not. */
function linkedBy(system: string): Set<string> {
  const folder = folderOf(system);
  const wants = Array.from(Deno.readDirSync(folder), ({ name }) => name)
    .filter((name) => /\.(wants|requires)$/.test(name));
  return new Set(
    wants.flatMap((name) =>
      Array.from(Deno.readDirSync(`${folder}/${name}`), (one) => one.name)
    ),
  );
}

/** Tells of a unit's name whether two systems differ in what they say of it. */
export function changedBetween(
  one: string | null,
  other: string | null,
): (unit: string) => boolean {
  // What can't be compared may have changed.
  if (one === null || other === null) return () => one !== other;
  return (unit) => wordsOf(one, unit) !== wordsOf(other, unit);
}

/** All that a system says of a unit: its file and those that add to it. */
function wordsOf(system: string, unit: string): string {
  const file = fileOf(system, unit);
  const folder = `${folderOf(system)}/${unit}.d`;
  const more = isFolder(folder)
    ? Array.from(Deno.readDirSync(folder), ({ name }) => name).sort()
    : [];
  return [...file ? [file] : [], ...more.map((name) => `${folder}/${name}`)]
    .map(textOf).join("\n");
}

/** The text of a file; none for what masks a unit, a link to /dev/null. */
function textOf(path: string): string | undefined {
  try {
    if (Deno.realPathSync(path) === "/dev/null") return "";
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch (error) {
    if (isAbsent(error)) return false;
    throw error;
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound ||
    isNumbered(error, errno.notAFolder, errno.isAFolder);
}
