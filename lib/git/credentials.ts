/**
 * What may be wrong with the files that hold this host's credentials for the
 * remote. Looked at only when the remote did not accept them.
 *
 * @module
 */

/** What to do about a token file that can't work; nothing if it may. */
export function tokenTrouble(path: string): string | undefined {
  const text = readText(path);
  if (typeof text !== "string") {
    return `${path} (tokenFile) ${text.why}: put the access token into it`;
  }
  if (text.trim() === "") {
    return `${path} (tokenFile) is empty: put the access token into it`;
  }
  if (/[\r\n]/.test(text.trim())) {
    return `${path} (tokenFile) has several lines: put nothing but the access token into it`;
  }
  return undefined;
}

/** What to do about a private key that ssh can't use; nothing if it can. */
export function keyTrouble(path: string): string | undefined {
  const text = readText(path);
  if (typeof text !== "string") {
    return `${path} (sshKeyFile) ${text.why}: make a key with ssh-keygen -t ed25519 -N "" -f ${path}, and add ${path}.pub as a deploy key to the repository`;
  }
  // ssh(1) ignores such a key.
  if ((Deno.statSync(path).mode ?? 0) & 0o077) {
    return `${path} (sshKeyFile) may be read by others, so ssh does not use it: chmod 600 ${path}`;
  }
  if (isPublic(text)) {
    return `${path} (sshKeyFile) is a public key: name the private one, without .pub`;
  }
  if (hasPassphrase(text)) {
    return `${path} (sshKeyFile) has a passphrase, and nobody is there to type it: take it away with ssh-keygen -p -f ${path}, or make another key`;
  }
  return undefined;
}

function readText(path: string): string | { why: string } {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    return {
      why: error instanceof Deno.errors.NotFound
        ? "does not exist"
        : "can't be read",
    };
  }
}

const isPublic = (text: string) => /^(ssh|ecdsa|sk)-\S+ AAAA/.test(text);

/**
 * Whether a private key is encrypted: PEM says so in its head, and OpenSSH's
 * own format names the cipher after a magic word (PROTOCOL.key of OpenSSH).
 */
function hasPassphrase(text: string): boolean {
  if (/ENCRYPTED/.test(text)) return true;
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----\s+([A-Za-z0-9+/]{40})/
    .exec(text)?.[1];
  if (body === undefined) return false;
  const head = atob(body);
  return head.startsWith("openssh-key-v1\0") &&
    !head.startsWith("openssh-key-v1\0\0\0\0\x04none");
}
