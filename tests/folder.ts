/**
 * A folder of its own for a test.
 *
 * @module
 */

/** Runs `work` with the path of a new folder, and removes it afterwards. */
export async function inFolder(
  work: (folder: string) => Promise<void> | void,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The names in a folder, sorted. */
export function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

/** The permissions of a file or folder. */
export function modeOf(path: string): number {
  return Deno.statSync(path).mode! & 0o777;
}
