/**
 * The units of the module as a system installs them.
 *
 * @module
 */
import { readIfThere } from "../host/files.ts";

/** The units that bring the next commit. */
export const service = "gitops-sync.service", timer = "gitops-sync.timer";

/**
 * The text of a unit of a system, with what is added to it after it.
 *
 * @param system Its store path.
 * @returns `undefined` where the system has no such unit.
 */
export function unitText(system: string, unit: string): string | undefined {
  const path = `${system}/etc/systemd/system/${unit}`;
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  const more = namesIn(`${path}.d`).filter((name) => name.endsWith(".conf"))
    .map((name) => readIfThere(`${path}.d/${name}`) ?? "");
  return [text, ...more].join("\n");
}

/** The names in a folder, sorted; none where there is no such folder. */
function namesIn(folder: string): string[] {
  try {
    return Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
