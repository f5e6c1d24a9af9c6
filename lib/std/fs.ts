/**
 * The part of `@std/fs` that is used here, under its names and with its
 * behaviour: the npm copy of the standard library leaves `fs` out. To move to
 * `jsr:@std/fs`, change the import map alone.
 *
 * @module
 */

/** Makes a folder and its parents where they are missing. */
export async function ensureDir(path: string): Promise<void> {
  await Deno.mkdir(path, { recursive: true });
}

/** Whether something is at `path`; a dangling link is nothing. */
export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
