/**
 * Checks with ssh-keygen whether ssh can use a private key file, before any
 * connection.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import { oneLine } from "../base/text.ts";

/**
 * Returns what to do about a key that ssh can't use, or `undefined` if it can.
 *
 * @param option The option that names the file, for the message.
 */
export async function privateKeyProblem(
  effects: Pick<Effects, "run">,
  path: string,
  option: string,
): Promise<string | undefined> {
  const named = `${path} (${option})`;
  const file = await read(path, option);
  if ("why" in file) {
    return `${named} ${file.why}`;
  }
  const { text } = file;
  if (text.trim() === "") {
    return `${named} is empty: put the private key into it`;
  }
  const { code, stderr } = await effects.run({
    program: "ssh-keygen",
    args: ["-y", "-P", "", "-f", path],
    env: { LC_ALL: "C" },
    timeout: 10_000,
    capture: false,
  });
  if (code === 0) return undefined;
  const why = whyNot(path, text, stderr);
  return why === undefined ? undefined : `${named} ${why}`;
}

async function read(
  path: string,
  option: string,
): Promise<{ why: string } | { text: string }> {
  try {
    const { isFile } = await Deno.stat(path);
    if (!isFile) {
      return { why: `is not a file: set ${option} to the path of the key` };
    }
    return { text: await Deno.readTextFile(path) };
  } catch (error) {
    return {
      why: error instanceof Deno.errors.NotFound
        ? `does not exist: create a key with ssh-keygen -t ed25519 -N "" -f ${path}, and add ${path}.pub to the repository as a deploy key`
        : `can't be read: let only the user who runs gitops-sync read it (chown, chmod 600 ${path})`,
    };
  }
}

/** Finds out why: ssh-keygen only reports that it can't read the key. */
function whyNot(
  path: string,
  text: string,
  stderr: string,
): string | undefined {
  if (/ENC\[AES256_GCM|^sops[:_]|"sops"\s*:/m.test(text)) {
    return `is still encrypted by sops: name the file that it is decrypted to, such as /run/secrets/deploy-key`;
  }
  if (/^age-encryption\.org|BEGIN AGE ENCRYPTED FILE/.test(text)) {
    return "is still encrypted by age: name the file that it is decrypted to, such as /run/agenix/deploy-key";
  }
  if (/^\s*(?:ssh|ecdsa|sk)-\S+ AAAA/.test(text)) {
    return "is a public key: name the private one, without .pub";
  }
  // ssh only checks the mode of keys that belong to its own user.
  if (/bad permissions/.test(stderr)) {
    return `may be read by others, so ssh does not use it: run chmod 600 ${path}`;
  }
  if (/incorrect passphrase/.test(stderr)) {
    // An agent may hold it.
    return Deno.env.get("SSH_AUTH_SOCK")
      ? undefined
      : `has a passphrase, and nobody can type it in: remove it with ssh-keygen -p -f ${path}, or create another key`;
  }
  if (text.startsWith("PuTTY-User-Key-File")) {
    return `is a PuTTY key: convert it with puttygen ${path} -O private-openssh`;
  }
  const form = formOf(text);
  return form === undefined
    ? `is not a private key that ssh can read: ssh-keygen reports: ${
      oneLine(stderr.trim() || "nothing", 200)
    }`
    : `${form}: fix it with sed -i '1s/^\\xEF\\xBB\\xBF//; s/^[ \\t]*//; s/\\r$//; $a\\' ${path}`;
}

/** Returns how an editor, or YAML, has damaged the lines of a key. */
function formOf(text: string): string | undefined {
  if (text.startsWith("\ufeff")) {
    return "begins with a byte order mark, which ssh does not read";
  }
  if (text.includes("\r")) {
    return "has Windows line endings, which ssh does not read";
  }
  if (/^[ \t]+\S/m.test(text)) {
    return "has spaces before its lines, which ssh does not read";
  }
  return text.endsWith("\n")
    ? undefined
    : "has no newline at its end, which ssh requires";
}
