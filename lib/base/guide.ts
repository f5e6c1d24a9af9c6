/**
 * Finds the guides that are installed with the program.
 *
 * @module
 */
import { dirname } from "@std/path";

/**
 * Returns how a message names a guide: its file if it is installed with this
 * program, or else where to find it.
 *
 * @param name Its file in `docs`, e.g. `secrets.md`.
 */
export function guide(name: string): string {
  for (const place of places()) {
    try {
      return Deno.realPathSync(`${place}/${name}`);
    } catch {
      // It is missing, or not readable.
    }
  }
  return `docs/${name} (man gitops-sync says where it is)`;
}

/** The folders in which the guides may be. */
function places(): string[] {
  // The binary of the package. Its own files have names in the folder for
  // temporary files, where anybody may put something.
  if (Deno.build.standalone) {
    return [`${dirname(Deno.execPath())}/../share/doc/gitops-sync/docs`];
  }
  const { pathname } = new URL(".", import.meta.url);
  return [
    // A checkout, and the sources that the package's wrapper runs.
    `${pathname}../../docs`,
    `${pathname}../../../doc/gitops-sync/docs`,
  ];
}
