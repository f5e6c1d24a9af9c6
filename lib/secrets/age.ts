/**
 * age and SSH identities: whose they are, and whether they open a file.
 *
 * @module
 */
import type { Command, Effects } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { oneLine } from "../base/text.ts";
import { sshToAge } from "../keys/ssh_to_age.ts";

/** Private keys of this host with the recipients they decrypt for. */
export interface Identity {
  /** A key file, or the folder that is a home of GnuPG. */
  path: string;
  kind: "age" | "ssh" | "pgp" | "ssh-as-age";
  /**
   * `age1…`, `ssh-ed25519 AAAA…`, or a fingerprint of OpenPGP; public. An
   * SSH ed25519 key has two: its own, and the age one made from it. Where it is
   * read `ssh-as-age`, as sops-nix does, it has the second alone.
   */
  recipients: readonly string[];
  /** Its keys for age, one a line. Secret: a function, so that nothing shows it. */
  ageKeys?: () => string;
}

/** What came of an attempt to decrypt. */
export type Opened =
  | { ok: true }
  /** `foreign`: encrypted for others. */
  | { ok: false; foreign: boolean; why: string };

/** Where NixOS hosts keep their keys, if the configuration names none. */
export const usualIdentities = [
  "/etc/ssh/age.key",
  "/var/lib/sops-nix/key.txt",
  "/etc/ssh/ssh_host_ed25519_key",
];

const patience = 60_000;
/** Bytes of a file of keys. */
const mostKeys = 1024 * 1024;

/**
 * Reads who a key file speaks for; a folder is taken for a home of GnuPG.
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
  // A system that is not proven yet may name what never ends.
  if (!isFile || size > mostKeys) throw unusable(path, "it is no file of keys");
  const text = await Deno.readTextFile(path).catch(fail);
  if (text.includes("AGE-SECRET-KEY-")) {
    const recipients = await publicOf(effects, path, {
      program: "age-keygen",
      args: ["-y", path],
    });
    return { path, kind: "age", recipients, ageKeys: () => keysIn(text) };
  }
  if (text.includes("PRIVATE KEY-----")) {
    return await readSshKey(effects, path, text);
  }
  throw unusable(path, "it holds neither an age nor an SSH private key");
}

/** An SSH key as sops-nix uses it: converted, and in no other way. */
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
  const own = (await publicOf(effects, path, {
    program: "ssh-keygen",
    args: ["-y", "-P", "", "-f", path],
  }))
    // The comment of an SSH key is no part of it.
    .map((line) => line.split(" ").slice(0, 2).join(" "));
  if (!/^ssh-(ed25519|rsa) /.test(own[0] ?? "")) {
    throw unusable(path, "age takes SSH keys of ed25519 and RSA alone");
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

/** The lines that a program says a private key's public ones are. */
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

/** The secret keys in a home of GnuPG (GnuPG, `doc/DETAILS`, "fpr"). */
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
 * Ends the agents that GnuPG started for these identities; they would stay
 * when all else is done, and keep the keys in memory.
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

/** Whether a file's content is in age's format (age-encryption.org/v1). */
export function isAgeFile(content: string): boolean {
  return content.startsWith("age-encryption.org/v1\n") ||
    /^\s*-----BEGIN AGE ENCRYPTED FILE-----/.test(content);
}

/**
 * Whom an age file names: `ssh-ed25519 TAG` for SSH keys; X25519 recipients
 * are anonymous (age-encryption.org/v1, "recipient stanzas").
 *
 * @returns `undefined` where its header is not whole.
 */
export function ageStanzas(content: string): string[] | undefined {
  const text = isAgeFile(content) && !content.startsWith("age-")
    ? dearmored(content)
    : content;
  const end = text?.search(/^--- /m) ?? -1;
  if (text === undefined || end === -1) return undefined;
  return [...text.slice(0, end).matchAll(/^-> (\S+)(?: (\S+))?/gm)].map(
    ([, type, first]) => type!.startsWith("ssh-") ? `${type} ${first}` : type!,
  );
}

function dearmored(content: string): string | undefined {
  const body = /-----BEGIN AGE ENCRYPTED FILE-----([^-]*)-----END/.exec(content)
    ?.[1];
  try {
    return body === undefined ? undefined : atob(body.replace(/\s+/g, ""));
  } catch {
    return undefined;
  }
}

const isBase64 = (text: string) =>
  text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text);

/**
 * How an age file names an SSH key: `ssh-ed25519 TAG`.
 *
 * @returns `undefined` for what is no SSH key.
 */
export async function sshTag(recipient: string): Promise<string | undefined> {
  const [type, wire] = recipient.split(" ");
  // Rules are written by hand.
  if (wire === undefined || !isBase64(wire)) return undefined;
  const bytes = Uint8Array.from(atob(wire), (letter) => letter.charCodeAt(0));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const tag = btoa(String.fromCharCode(...hash.subarray(0, 4)));
  return `${type} ${tag.replace(/=+$/, "")}`;
}

/**
 * Tries to decrypt an age file; the plaintext is thrown away unread.
 *
 * @param content The encrypted bytes.
 * @param timeout Milliseconds that it may take.
 */
export async function openAge(
  effects: Effects,
  content: Uint8Array,
  identities: readonly Identity[],
  timeout = patience,
): Promise<Opened> {
  const paths = identities
    .filter(({ kind }) => kind === "age" || kind === "ssh")
    .map(({ path }) => path);
  if (paths.length === 0) {
    return { ok: false, foreign: true, why: "there is no age identity" };
  }
  const finished = await effects.run({
    program: "age",
    args: ["--decrypt", ...paths.flatMap((path) => ["-i", path])],
    input: content,
    capture: false,
    timeout,
  });
  if (finished.code === 0) return { ok: true };
  if (finished.timedOut) {
    return { ok: false, foreign: false, why: "it took too long" };
  }
  const foreign =
    /no identity matched|incorrect passphrase|passphrase-encrypted/
      .test(finished.stderr);
  const said = finished.stderr.split("\n")[0]!.replace(/^age: error: /, "");
  return { ok: false, foreign, why: oneLine(said) };
}

function unusable(path: string, why: string): SyncError {
  return new SyncError(`Cannot use the identity ${path}: ${why}`, {
    stage: "secrets",
    reason: "identity-unreadable",
    next: "hold",
    hints: [
      `make one with: age-keygen -o ${path} (then re-key the files for its public key)`,
      "or name the right file with secrets.identities",
    ],
  });
}
