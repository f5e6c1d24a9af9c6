/**
 * Reads the units of the module that a system installs.
 *
 * @module
 */
import { readIfThere } from "../host/files.ts";

/** The units that deploy the next commit. */
export const service = "gitops-sync.service", timer = "gitops-sync.timer";

/**
 * Returns the text of a unit of a system, followed by its drop-ins.
 *
 * @param system Its store path.
 * @returns `undefined` if the system has no such unit.
 */
export function unitText(system: string, unit: string): string | undefined {
  const path = `${system}/etc/systemd/system/${unit}`;
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  const more = namesIn(`${path}.d`).filter((name) => name.endsWith(".conf"))
    .map((name) => readIfThere(`${path}.d/${name}`) ?? "");
  return [text, ...more].join("\n");
}

/** Returns the names in a folder, sorted; none if it does not exist. */
function namesIn(folder: string): string[] {
  try {
    return Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
