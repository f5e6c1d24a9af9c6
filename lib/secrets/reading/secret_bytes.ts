/**
 * The bytes of a file that a built system decrypts.
 *
 * @module
 */
import { errno, isNumbered } from "../../base/os_error.ts";
import { readAtMost } from "../../host/files.ts";

/** What is in its place. */
export type SecretBytes =
  | Uint8Array
  /** Nothing. */
  | undefined
  /** What could never hold a secret, in words. */
  | string;

/**
 * Reads one. What the revision itself has wrong is an answer; what this host
 * can't do now is thrown, so that it holds no revision.
 *
 * @param most Bytes that it may have (`limits.secrets`).
 * @throws {Error} as the operating system says it.
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
