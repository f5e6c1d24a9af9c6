/**
 * Signatures of commits and tags, as Git checks them with ssh-keygen and gpg.
 *
 * Git's exit code decides what passes. The output of Git and its helpers only
 * shows who signed, or why it does not pass.
 *
 * @module
 */
import type { Command } from "../base/effects.ts";
import { oneLine } from "../base/text.ts";
import { fieldOf, localGit } from "../git/git.ts";

/** The trusted keys, as files that nobody else can change. */
export interface Keyring {
  /** A file of allowed signers; empty if no SSH key is trusted. */
  allowedSigners: string;
  /** A folder for gpg with the public keys. */
  gnupgHome: string;
  /** A file of revoked SSH keys. */
  revokedKeys: string | undefined;
  /** All names of a key (principals or user ids), by its fingerprint. */
  names: ReadonlyMap<string, readonly string[]>;
  /** Which kinds of keys are trusted. */
  kinds: ReadonlySet<"ssh" | "openpgp">;
}

/** A good signature by a trusted key. */
export interface Good {
  ok: true;
  kind: "ssh" | "openpgp";
  name: string;
  key: string;
}

/** Why a signature is not valid. */
export interface Bad {
  ok: false;
  reason:
    | "unsigned"
    | "signature-format"
    | "unknown-key"
    | "weak-hash"
    | "tampered"
    | "key-expired"
    | "key-not-yet-valid"
    | "key-revoked"
    | "no-checker";
  /** Completes "commit X …". */
  says: string;
}

/**
 * Returns the command that checks the signature of a commit or an annotated
 * tag.
 */
export function checkCommand(
  mirror: string,
  type: "commit" | "tag",
  id: string,
  keyring: Keyring,
): Command {
  const { allowedSigners, gnupgHome, revokedKeys } = keyring;
  const command = localGit(mirror, [`verify-${type}`, "--raw", id], {}, [
    ["gpg.program", "gpg"],
    ["gpg.ssh.program", "ssh-keygen"],
    // A third kind of signature, which no option supports.
    ["gpg.x509.program", "false"],
    ["gpg.ssh.allowedSignersFile", allowedSigners],
    ...revokedKeys === undefined
      ? []
      : [["gpg.ssh.revocationFile", revokedKeys] as const],
  ]);
  return { ...command, env: { ...command.env, GNUPGHOME: gnupgHome } };
}

/**
 * Returns the signer of a signature that Git found good.
 *
 * @param raw What the command wrote to standard error.
 */
export function signerOf(raw: string): Good | undefined {
  // Git runs gpg or ssh-keygen, depending on the kind of signature. Only gpg
  // begins lines in this way, and text that it quotes never begins a line.
  const isGpg = raw.split("\n").some((line) => line.startsWith(gpgMark));
  return isGpg ? openpgpSigner(raw) : sshSigner(raw);
}

function sshSigner(raw: string): Good | undefined {
  const good = /^Good "git" signature for (.+) with \S+ key (SHA256:\S+)$/s;
  for (const line of raw.split("\n")) {
    const [, name, key] = good.exec(line) ?? [];
    if (key === undefined) continue;
    return { ok: true, kind: "ssh", name: oneLine(name!, 200), key };
  }
  return undefined;
}

function openpgpSigner(raw: string): Good | undefined {
  const name = /^\S+ (.*)$/s.exec(gpgStatus(raw, "GOODSIG") ?? "")?.[1];
  // The last field is the primary key, whichever subkey signed (doc/DETAILS).
  const key = /^(?:\S+ ){9}([0-9A-F]{40,64})$/
    .exec(gpgStatus(raw, "VALIDSIG") ?? "")?.[1];
  return name !== undefined && key !== undefined && weakHash(raw) === undefined
    ? { ok: true, kind: "openpgp", name: shownName(name), key }
    : undefined;
}

/** Hashes with known collisions (RFC 9580, 9.5, lists their numbers). */
const weakHashes: Readonly<Record<string, string>> = {
  "1": "MD5",
  "2": "SHA-1",
  "3": "RIPEMD-160",
};

/** Returns the name of the signed hash if it is a weak one. */
function weakHash(raw: string): string | undefined {
  const field = (word: string, at: number) =>
    gpgStatus(raw, word)?.split(" ")[at];
  // The hash is at different places for signatures that gpg could and could not
  // check.
  const number = field("VALIDSIG", 7) ?? field("ERRSIG", 2);
  return number === undefined ? undefined : weakHashes[number];
}

function shownName(name: string): string {
  return oneLine(unescaped(name, gpgEscapes.inStatus), 200);
}

const gpgMark = "[GNUPG:] ";

/**
 * Returns the text after a keyword in gpg's status lines (GnuPG's doc/DETAILS).
 * Only a newline ends such a line.
 */
export function gpgStatus(raw: string, word: string): string | undefined {
  const start = `${gpgMark}${word} `;
  const line = raw.split("\n").find((line) => line.startsWith(start));
  return line?.slice(start.length);
}

/** How gpg escapes characters of user ids (GnuPG's doc/DETAILS). */
export const gpgEscapes = {
  inStatus: /%([0-9A-F]{2})/gi,
  inListings: /\\x([0-9A-F]{2})/gi,
} as const;

/** Returns the text that gpg has escaped. */
export function unescaped(text: string, escape: RegExp): string {
  return text.replace(
    escape,
    (_, digits) => String.fromCharCode(parseInt(digits, 16)),
  );
}

/**
 * Returns why Git did not accept a signature.
 *
 * @param content The commit or tag as it is stored.
 * @param raw What the command wrote to standard error.
 */
export function refusalOf(
  type: "commit" | "tag",
  content: string,
  raw: string,
  { kinds }: Pick<Keyring, "kinds">,
): Bad {
  const armor = armorOf(type, content);
  if (armor === undefined) return bad("unsigned", "is not signed");
  if (/cannot run (gpg|ssh-keygen)/.test(raw)) {
    return bad(
      "no-checker",
      "can't be checked: gpg or ssh-keygen is not on PATH",
    );
  }
  if (/^SSH SIGNATURE$/.test(armor)) {
    return kinds.has("ssh") ? badSsh(raw) : bad(
      "signature-format",
      "has an SSH signature, but no SSH key is trusted",
    );
  }
  if (/^PGP (SIGNATURE|MESSAGE)$/.test(armor)) {
    return kinds.has("openpgp") ? badOpenpgp(raw) : bad(
      "signature-format",
      "has an OpenPGP signature, but no OpenPGP key is trusted",
    );
  }
  return bad(
    "signature-format",
    `has a signature that is neither SSH nor OpenPGP (${oneLine(armor, 40)})`,
  );
}

function bad(reason: Bad["reason"], says: string): Bad {
  return { ok: false, reason, says };
}

/** Returns the kind of an object's signature (gitformat-signature(5)). */
function armorOf(type: "commit" | "tag", content: string): string | undefined {
  if (type === "commit") {
    const isLong = fieldOf(content, "tree")?.length === 64;
    // Each kind of repository has its own header; Git ignores the other one.
    const line = fieldOf(content, isLong ? "gpgsig-sha256" : "gpgsig");
    return line === undefined
      ? undefined
      : /^-----BEGIN (.*)-----$/.exec(line)?.[1] ?? line;
  }
  const begin =
    /^-----BEGIN ((?:SSH |PGP )?SIGNATURE|PGP MESSAGE|SIGNED MESSAGE)-----$/;
  return content.split("\n").map((line) => begin.exec(line)?.[1])
    .findLast((armor) => armor !== undefined);
}

/** Reads the messages of ssh-keygen 8.9 to 10. */
function badSsh(raw: string): Bad {
  const key = /key (SHA256:[\w+/=]+)/.exec(raw)?.[1];
  if (/incorrect signature/.test(raw)) {
    return bad(
      "tampered",
      "was changed after it was signed: its signature does not match",
    );
  }
  if (
    /(invalid format|namespace does not match|Couldn't (verify|parse))/.test(
      raw,
    )
  ) {
    return bad("signature-format", "has an SSH signature that can't be read");
  }
  const by = key === undefined ? "" : ` (${key})`;
  if (/expired/i.test(raw)) {
    return bad("key-expired", `was signed after its key had expired${by}`);
  }
  if (/not yet valid/i.test(raw)) {
    return bad(
      "key-not-yet-valid",
      `was signed before its key became valid${by}`,
    );
  }
  if (/not permitted for use in signature namespace/.test(raw)) {
    return bad(
      "unknown-key",
      `is signed by a key that is not allowed to sign for Git${by}`,
    );
  }
  return bad("unknown-key", `is signed by a key that is not trusted${by}`);
}

function badOpenpgp(raw: string): Bad {
  const status = (word: string) => gpgStatus(raw, word)?.split(" ", 1)[0];
  if (status("BADSIG")) {
    return bad(
      "tampered",
      "was changed after it was signed: its signature does not match",
    );
  }
  const weak = weakHash(raw);
  if (weak) {
    return bad(
      "weak-hash",
      `has a signature that uses ${weak}, which can be forged`,
    );
  }
  const revoked = status("REVKEYSIG");
  if (revoked) return bad("key-revoked", `has a revoked key (${revoked})`);
  const expired = status("EXPKEYSIG");
  if (expired) return bad("key-expired", `has an expired key (${expired})`);
  const over = status("EXPSIG");
  if (over) return bad("key-expired", `has an expired signature (${over})`);
  const unknown = status("NO_PUBKEY");
  if (unknown) {
    return bad(
      "unknown-key",
      `is signed by a key that is not trusted (${unknown})`,
    );
  }
  const other = status("ERRSIG");
  if (other) {
    return bad(
      "key-not-yet-valid",
      `has a signature that its key can't have made at that time (${other})`,
    );
  }
  return bad("signature-format", "has an OpenPGP signature that can't be read");
}
