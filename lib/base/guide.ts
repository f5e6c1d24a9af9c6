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
  const { pathname } = new URL(".", import.meta.url);
  const places = [
    // A checkout.
    `${pathname}../../docs`,
    // Sources that the package's wrapper runs, and the binary of the package.
    `${pathname}../../../doc/gitops-sync/docs`,
    `${dirname(Deno.execPath())}/../share/doc/gitops-sync/docs`,
  ];
  for (const place of places) {
    try {
      return Deno.realPathSync(`${place}/${name}`);
    } catch {
      // It is not there, or nobody may look.
    }
  }
  return `docs/${name} (man gitops-sync says where it is)`;
}
