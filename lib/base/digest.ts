/**
 * Digests as hexadecimal digits.
 *
 * @module
 */

/**
 * Returns the digest of some bytes.
 *
 * @returns hexadecimal digits, as Git and sha256sum(1) write them.
 */
export async function digestOf(
  algorithm: "SHA-1" | "SHA-256",
  bytes: Uint8Array<ArrayBuffer>,
): Promise<string> {
  const digest = await crypto.subtle.digest(algorithm, bytes);
  return [...new Uint8Array(digest)]
    .map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
