/**
 * Checks whether the sender of a webhook knows the secret.
 *
 * Forges sign the body with HMAC-SHA256 and send the result in a header. GitLab
 * sends the secret itself. All comparisons use `crypto.subtle.verify`, so they
 * take the same time for every wrong value.
 *
 * @module
 */

/** Headers with a signature of the body, in hexadecimal digits. */
const signatureHeaders = [
  // GitHub; Gitea and Forgejo send it as well.
  "x-hub-signature-256",
  // Bitbucket.
  "x-hub-signature",
  "x-gitea-signature",
  "x-forgejo-signature",
  // Flux and others, with one format for every sender.
  "x-signature",
];

/** The header in which GitLab sends the secret itself. */
const tokenHeader = "x-gitlab-token";

const algorithm = { name: "HMAC", hash: "SHA-256" };

/**
 * Reports whether a header proves that the sender knows one of the secrets.
 * There are several secrets while one replaces another.
 *
 * @param body The received bytes: they are signed, not the text.
 */
export async function isSigned(
  headers: Headers,
  body: Uint8Array<ArrayBuffer>,
  secrets: readonly string[],
): Promise<boolean> {
  const signatures = signatureHeaders.map((name) => headers.get(name))
    .map(bytesOfSignature).filter((one) => one !== undefined);
  const token = headers.get(tokenHeader);
  for (const secret of secrets) {
    if (token !== null && await isSameText(token, secret)) return true;
    if (signatures.length === 0) continue;
    const key = await keyOf(new TextEncoder().encode(secret));
    for (const signature of signatures) {
      if (await crypto.subtle.verify("HMAC", key, signature, body)) return true;
    }
  }
  return false;
}

/**
 * Reads `sha256=HEX` or `HEX`. Returns `undefined` for other algorithms and
 * lengths.
 */
function bytesOfSignature(
  value: string | null,
): Uint8Array<ArrayBuffer> | undefined {
  const [, hex] = /^(?:sha256=)?([0-9a-f]{64})$/i.exec(value ?? "") ?? [];
  if (hex === undefined) return undefined;
  return Uint8Array.from(
    hex.match(/../g)!,
    (digits) => Number.parseInt(digits, 16),
  );
}

function keyOf(bytes: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", bytes, algorithm, false, [
    "sign",
    "verify",
  ]);
}

/** Compares two texts in constant time, by signatures with a temporary key. */
export async function isSameText(one: string, other: string): Promise<boolean> {
  const encoder = new TextEncoder();
  const key = await keyOf(crypto.getRandomValues(new Uint8Array(32)));
  const signature = await crypto.subtle.sign("HMAC", key, encoder.encode(one));
  return await crypto.subtle.verify(
    "HMAC",
    key,
    signature,
    encoder.encode(other),
  );
}
