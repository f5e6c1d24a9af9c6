/**
 * Where the guides are for a person who has the program.
 *
 * @module
 */
import { dirname } from "@std/path";

/**
 * A guide, as a message can name it: the file where one is installed with this
 * program, and what says where it is otherwise.
 *
 * @param name Its file in `docs`, e.g. `secrets.md`.
 */
export function guide(name: string): string {
  for (const place of places()) {
    try {
      return Deno.realPathSync(`${place}/${name}`);
    } catch {
      // It is not there, or nobody may look.
    }
  }
  return `docs/${name} (man gitops-sync says where it is)`;
}

/** Where the guides may be, from the program. */
function places(): string[] {
  // The binary of the package. It calls its own files by names in the folder
  // for temporary files, where anybody may put something.
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
