/**
 * What the header of an age file tells without a key.
 *
 * @module
 */

/**
 * Whom a file is for (age-encryption.org/v1, "recipient stanzas"):
 * `ssh-ed25519 TAG`, `ssh-rsa TAG`, or the bare name of an anonymous kind such
 * as `X25519`.
 *
 * @returns `undefined` where the header is not whole.
 */
export function ageStanzas(content: Uint8Array): string[] | undefined {
  const header = headerOf(content);
  if (header === undefined) return undefined;
  return [...header.matchAll(/^-> (\S+)(?: (\S+))?/gm)]
    .map(([, kind, first]) =>
      kind!.startsWith("ssh-") ? `${kind} ${first}` : kind!
    )
    // Noise that some programs add, so that nobody relies on there being none.
    .filter((stanza) => !stanza.endsWith("-grease"));
}

function headerOf(content: Uint8Array): string | undefined {
  const text = new TextDecoder("latin1").decode(content);
  const armored =
    /-----BEGIN AGE ENCRYPTED FILE-----([A-Za-z0-9+/=\s]*)-----END/.exec(text);
  let plain = text;
  try {
    if (armored) plain = atob(armored[1]!.replace(/\s+/g, ""));
  } catch {
    return undefined;
  }
  const end = plain.search(/^--- /m);
  return end === -1 ? undefined : plain.slice(0, end);
}

/** How the header names an SSH key: a part of the hash of its wire format. */
export async function sshTag(recipient: string): Promise<string> {
  const [kind, key] = recipient.split(" ");
  const wire = Uint8Array.from(atob(key ?? ""), (one) => one.charCodeAt(0));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", wire));
  const tag = btoa(String.fromCharCode(...hash.subarray(0, 4)));
  return `${kind} ${tag.replace(/=+$/, "")}`;
}
