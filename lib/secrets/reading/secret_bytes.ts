/**
 * Reads the bytes of a file that a built system decrypts.
 *
 * @module
 */
import { errno, isNumbered } from "../../base/os_error.ts";
import { readAtMost } from "../../host/files.ts";

/** The content, or what is there instead. */
export type SecretBytes =
  | Uint8Array
  /** Nothing. */
  | undefined
  /** Why it can never contain a secret, in words. */
  | string;

/**
 * Reads a file. Returns a mistake of the revision, but throws a failure of this
 * host, so that it blocks no revision.
 *
 * @param most The largest size in bytes (`limits.secrets`).
 * @throws {Error} as the operating system reports it.
 */
export async function readSecret(
  path: string,
  most: number,
): Promise<SecretBytes> {
  try {
    return await readAtMost(path, most);
  } catch (error) {
    if (error instanceof RangeError) {
      const isLarge = error.message.startsWith("it is larger");
      return isLarge ? `${error.message} (limits.secrets)` : error.message;
    }
    const isMissing = error instanceof Deno.errors.NotFound ||
      isNumbered(error, errno.notAFolder);
    if (isMissing) return undefined;
    if (isNumbered(error, errno.loop)) return "it is a link that leads nowhere";
    throw error;
  }
}
