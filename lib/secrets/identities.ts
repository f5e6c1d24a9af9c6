/**
 * The private keys of a host, and their recipients.
 *
 * @module
 */
import type { Command, Effects } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { oneLine } from "../base/text.ts";
import { sshPublicKey, sshToAge } from "../keys/ssh_to_age.ts";

/** Private keys of this host, with their recipients. */
export interface Identity {
  /** A key file, or a GnuPG home folder. */
  path: string;
  kind: "age" | "ssh" | "pgp" | "ssh-as-age";
  /**
   * `age1…`, `ssh-ed25519 AAAA…`, or a fingerprint of OpenPGP; public. An SSH
   * ed25519 key has two: its own, and the age recipient derived from it. As
   * `ssh-as-age`, as sops-nix uses it, it only has the second.
   */
  recipients: readonly string[];
  /**
   * A hash of its plugin keys (`AGE-PLUGIN-…`), if there are any. They may open
   * files for recipients that are neither X25519 nor SSH; only the plugin knows
   * which.
   */
  plugins?: string;
  /**
   * Its age keys, one per line. Secret: a function, so that nothing prints it.
   */
  ageKeys?: () => string;
}

/** Where NixOS hosts usually keep their keys, if none are configured. */
export const usualIdentities = [
  "/etc/ssh/age.key",
  "/var/lib/sops-nix/key.txt",
  "/etc/ssh/ssh_host_ed25519_key",
];

const patience = 60_000;
/** The largest key file in bytes. */
const mostKeys = 1024 * 1024;

/**
 * Reads the recipients of a key file; a folder counts as a GnuPG home.
 *
 * @throws {SyncError} `identity-unreadable`, exit 5.
 */
export async function readIdentity(
  effects: Effects,
  path: string,
): Promise<Identity> {
  const fail = (error: Error) => {
    throw unusable(path, error.message);
  };
  const { isDirectory, isFile, size } = await Deno.stat(path).catch(fail);
  if (isDirectory) return await readGnupgHome(effects, path);
  // An unchecked system may name an endless file.
  if (!isFile || size > mostKeys) throw unusable(path, "it is not a key file");
  const text = await Deno.readTextFile(path).catch(fail);
  if (/AGE-(?:SECRET-KEY|PLUGIN)-/.test(text)) {
    return await readAgeKeys(effects, path, text);
  }
  if (text.includes("PRIVATE KEY-----")) {
    return await readSshKey(effects, path, text);
  }
  throw unusable(path, "it holds neither an age nor an SSH private key");
}

/** Reads keys of age itself and of its plugins. */
async function readAgeKeys(
  effects: Effects,
  path: string,
  text: string,
): Promise<Identity> {
  const keys = keysIn(text).split("\n");
  // Only the plugin knows the recipients of its keys.
  const own = keys.filter((key) => !key.startsWith("AGE-PLUGIN-"));
  const ofPlugins = keys.filter((key) => !own.includes(key)).join("\n");
  const recipients = own.length === 0 ? [] : await publicOf(effects, path, {
    program: "age-keygen",
    args: ["-y"],
    input: new TextEncoder().encode(`${own.join("\n")}\n`),
  });
  return {
    path,
    kind: "age",
    recipients,
    ...(ofPlugins === "" ? {} : { plugins: await hashOf(ofPlugins) }),
    ageKeys: () => keys.join("\n"),
  };
}

async function hashOf(text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text);
  const hash = await crypto.subtle.digest("SHA-256", bytes);
  return [...new Uint8Array(hash)]
    .map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Whether a recipient belongs to an age plugin: it is neither X25519, which
 * always has the same length, nor SSH.
 */
export function isOfPlugin(recipient: string): boolean {
  return /^age1[0-9a-z+._-]+$/.test(recipient) &&
    !/^age1[02-9ac-hj-np-z]{58}$/.test(recipient);
}

/** Returns an SSH key as sops-nix uses it: only converted. */
export function asAge(identity: Identity): Identity {
  if (identity.kind !== "ssh") return identity;
  const recipients = identity.recipients.filter((one) =>
    one.startsWith("age1")
  );
  return { ...identity, kind: "ssh-as-age", recipients };
}

async function readSshKey(
  effects: Effects,
  path: string,
  text: string,
): Promise<Identity> {
  const pkcs8 = await sshPublicKey(text);
  const lines = pkcs8 ? [pkcs8] : await publicOf(effects, path, {
    program: "ssh-keygen",
    args: ["-y", "-P", "", "-f", path],
  });
  // The comment is not part of an SSH key.
  const own = lines.map((line) => line.split(" ").slice(0, 2).join(" "));
  if (!/^ssh-(ed25519|rsa) /.test(own[0] ?? "")) {
    throw unusable(path, "age only takes SSH keys of type ed25519 and RSA");
  }
  const key = await sshToAge(text);
  if (key === undefined) return { path, kind: "ssh", recipients: own };
  const input = new TextEncoder().encode(`${key}\n`);
  const made = await publicOf(effects, path, {
    program: "age-keygen",
    args: ["-y"],
    input,
  });
  return {
    path,
    kind: "ssh",
    recipients: [...own, ...made],
    ageKeys: () => key,
  };
}

/** Returns the public keys that a program prints for a private key. */
async function publicOf(
  effects: Effects,
  path: string,
  command: Omit<Command, "timeout">,
): Promise<string[]> {
  const finished = await effects.run({ ...command, timeout: patience });
  if (finished.code !== 0) throw unusable(path, oneLine(finished.stderr));
  return new TextDecoder().decode(finished.stdout).trim().split("\n")
    .map((line) => line.trim());
}

const keysIn = (text: string) =>
  text.split("\n").map((line) => line.trim())
    .filter((line) => line.startsWith("AGE-")).join("\n");

/** Reads the secret keys in a GnuPG home (GnuPG, `doc/DETAILS`, "fpr"). */
async function readGnupgHome(
  effects: Effects,
  path: string,
): Promise<Identity> {
  const finished = await effects.run({
    program: "gpg",
    args: [
      "--homedir",
      path,
      "--batch",
      "--with-colons",
      "--with-subkey-fingerprint",
      "--list-secret-keys",
    ],
    timeout: patience,
  });
  const recipients = new TextDecoder().decode(finished.stdout).split("\n")
    .map((line) => line.split(":")).filter(([type]) => type === "fpr")
    .map((fields) => fields[9]!);
  if (finished.code !== 0 || recipients.length === 0) {
    const why = oneLine(finished.stderr) || "it has no secret key";
    throw unusable(path, why);
  }
  return { path, kind: "pgp", recipients };
}

/**
 * Ends the agents that GnuPG started for these identities. They would keep
 * running, with the keys in memory.
 */
export async function endAgents(
  effects: Effects,
  identities: readonly Identity[],
): Promise<void> {
  for (const { kind, path } of identities) {
    if (kind !== "pgp") continue;
    await effects.run({
      program: "gpgconf",
      args: ["--homedir", path, "--kill", "all"],
      timeout: patience,
    });
  }
}

function unusable(path: string, why: string): SyncError {
  return new SyncError(`Cannot use the identity ${path}: ${why}`, {
    stage: "secrets",
    reason: "identity-unreadable",
    next: "hold",
    hints: [
      `create a key with: sudo gitops-sync secrets keygen ${path} (then encrypt the files for its public key)`,
      "or set secrets.identities to the right file",
    ],
  });
}
