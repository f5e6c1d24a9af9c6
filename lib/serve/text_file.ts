/**
 * Reads small files that a person writes for the server.
 *
 * @module
 */

/**
 * Reads a text file.
 *
 * @param most The longest it may be, in bytes.
 * @param unusable Makes the error from the path and the reason.
 * @throws the error of `unusable`.
 */
export async function readText(
  path: string,
  most: number,
  unusable: (path: string, why: string) => Error,
): Promise<string> {
  try {
    const { isFile, size } = await Deno.stat(path);
    if (!isFile) throw unusable(path, "it is not a file");
    if (size > most) throw unusable(path, "it is too long");
    return await Deno.readTextFile(path);
  } catch (error) {
    const isOs = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.PermissionDenied;
    if (!isOs) throw error;
    throw unusable(path, error.message);
  }
}
