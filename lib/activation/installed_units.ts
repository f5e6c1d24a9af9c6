/**
 * Reads which units a system installs. A system can only be at fault for these.
 *
 * @module
 */
import { errno, isNumbered } from "../base/os_error.ts";

const folderOf = (system: string) => `${system}/etc/systemd/system`;

/**
 * Returns the file of a unit in a system; for an instance, that of its
 * template.
 */
function fileOf(system: string, unit: string): string | undefined {
  const folder = folderOf(system);
  const template = unit.replace(/@.*\./, "@.");
  return [unit, template].map((name) => `${folder}/${name}`)
    .find((path) => textOf(path) !== undefined);
}

/**
 * Returns a function that checks whether a system installs a unit.
 *
 * @returns a function that is always `true` if the system cannot be read.
 */
export function installedBy(
  system: string | null,
): (unit: string) => boolean {
  if (system === null || !isFolder(folderOf(system))) return () => true;
  const linked = linkedBy(system);
  return (unit) => linked.has(unit) || fileOf(system, unit) !== undefined;
}

/** Returns the units that a system wants to start, even if they are missing. */
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

/**
 * Returns a function that checks whether two systems define a unit differently.
 */
export function changedBetween(
  one: string | null,
  other: string | null,
): (unit: string) => boolean {
  // A unit that cannot be compared may have changed.
  if (one === null || other === null) return () => one !== other;
  return (unit) => wordsOf(one, unit) !== wordsOf(other, unit);
}

/** Returns the definition of a unit in a system: its file and its drop-ins. */
function wordsOf(system: string, unit: string): string {
  const file = fileOf(system, unit);
  const folder = `${folderOf(system)}/${unit}.d`;
  const more = isFolder(folder)
    ? Array.from(Deno.readDirSync(folder), ({ name }) => name).sort()
    : [];
  return [...file ? [file] : [], ...more.map((name) => `${folder}/${name}`)]
    .map(textOf).join("\n");
}

/**
 * Returns the text of a file; empty for a link to /dev/null, which masks a
 * unit.
 */
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
