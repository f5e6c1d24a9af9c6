/**
 * Finds the programs of this host.
 *
 * @module
 */

/**
 * Finds a program without starting it.
 *
 * @param name Its name, or a path.
 * @param more Folders beside those of PATH, with colons between.
 * @returns the path; nothing if there is no such executable file.
 */
export function programAt(name: string, more = ""): string | undefined {
  if (name.includes("/")) return mayRun(name) ? name : undefined;
  return `${Deno.env.get("PATH") ?? ""}:${more}`.split(":")
    .filter((folder) => folder !== "")
    .map((folder) => `${folder}/${name}`).find(mayRun);
}

function mayRun(path: string): boolean {
  try {
    const { isFile, mode } = Deno.statSync(path);
    return isFile && (mode! & 0o111) !== 0;
  } catch {
    return false;
  }
}
