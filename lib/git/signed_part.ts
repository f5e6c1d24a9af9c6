/**
 * The part of a commit or tag that a signature covers.
 *
 * Git does not sign the signature itself, whichever header contains it. So
 * anybody who passes on a signed commit can write the signature in another form
 * (a comment in its armor, OpenPGP's unhashed part, the second solution of
 * ECDSA). Each form has another hash, and still verifies. Only the signed part
 * is the same in all forms.
 *
 * @module
 */
import { digestOf } from "../base/digest.ts";

const newline = 0x0a, space = 0x20;

/** The headers that Git leaves out of what is signed (gpg-interface.c). */
const signatureHeaders = ["gpgsig ", "gpgsig-sha256 "].map((name) =>
  new TextEncoder().encode(name)
);

/**
 * Returns the bytes of a commit that its signature covers.
 *
 * @param content The commit as it is stored.
 */
function signedPart(content: Uint8Array): Uint8Array<ArrayBuffer> {
  const kept = new Uint8Array(content.length);
  let length = 0;
  let isSignature = false;
  for (let at = 0; at < content.length;) {
    const found = content.indexOf(newline, at);
    const end = found === -1 ? content.length : found + 1;
    const isBody = content[at] === newline;
    const rest = isBody ? content.subarray(at) : content.subarray(at, end);
    // A line that begins with a space continues the header above.
    isSignature = rest[0] === space ? isSignature : isSignatureHeader(rest);
    if (!isSignature) {
      kept.set(rest, length);
      length += rest.length;
    }
    at += rest.length;
  }
  return kept.subarray(0, length);
}

function isSignatureHeader(line: Uint8Array): boolean {
  return signatureHeaders.some((name) =>
    name.every((byte, i) => line[i] === byte)
  );
}

/**
 * Returns the identity of a signed commit, which does not depend on the form of
 * its signature.
 *
 * @param content The commit as it is stored.
 * @returns the SHA-256 of its signed part, in hexadecimal digits.
 */
export async function signedDigest(content: Uint8Array): Promise<string> {
  return await digestOf("SHA-256", signedPart(content));
}
