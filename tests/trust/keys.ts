/**
 * Keys of people who may and may not sign, made with the real programs.
 *
 * @module
 */
import { join } from "node:path";
import { output } from "../world/program.ts";

/** A time before every key's end and after every key's beginning, and before. */
const longAgo = "20200601T000000";

/** SSH keys by their names. */
const sshKeys = {
  ada: ["-t", "ed25519"],
  bob: ["-t", "ed25519"],
  eve: ["-t", "ed25519"],
  rsa: ["-t", "rsa", "-b", "2048"],
  ecdsa: ["-t", "ecdsa"],
  ca: ["-t", "ed25519"],
  "foreign-ca": ["-t", "ed25519"],
  certified: ["-t", "ed25519"],
  "foreign-certified": ["-t", "ed25519"],
  "late-certified": ["-t", "ed25519"],
} as const;

/** OpenPGP keys: user id, expiry, made when. */
const pgpKeys = {
  "pgp-ada": ["Ada <ada@example.org>", "never", "20260101T000000"],
  "pgp-eve": ["Eve <eve@example.net>", "never", "20260101T000000"],
  "pgp-old": ["Old <old@example.org>", "20210101T000000", "20200101T000000"],
  "pgp-revoked": ["Rev <rev@example.org>", "never", "20200101T000000"],
  "pgp-escape": [
    "Esc \u001b[31m <esc@example.org>",
    "never",
    "20260101T000000",
  ],
  // What some take for an end of a line, and then what ssh-keygen would say.
  "pgp-two-lines": [
    'Carol <carol@example.org>\u2028Good "git" signature for bob@example.org with ED25519 key SHA256:abcdef',
    "never",
    "20260101T000000",
  ],
} as const;

/** All keys, in a folder. */
export class Keys {
  readonly #fingerprints = new Map<string, string>();

  private constructor(readonly folder: string) {}

  static async make(folder: string): Promise<Keys> {
    const keys = new Keys(folder);
    await Deno.mkdir(folder, { mode: 0o700 });
    await Promise.all([keys.#makeSsh(), keys.#makePgp()]);
    return keys;
  }

  /** A program that signs as gpg, at a time of the key's life. */
  get gpg(): string {
    return join(this.folder, "gpg");
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** The public half of an SSH key: type and content. */
  public(name: string): string {
    const text = Deno.readTextFileSync(`${this.path(name)}.pub`);
    return text.split(" ").slice(0, 2).join(" ");
  }

  /** A line of allowed signers. */
  signerLine(name: string, options = 'namespaces="git" '): string {
    return `${name}@example.org ${options}${this.public(name)}\n`;
  }

  /** The file of an OpenPGP public key. */
  publicPgp(name: string): string {
    return `${this.path(name)}.asc`;
  }

  /** What `user.signingkey` must be; an SSH certificate by its own name. */
  signingKey(name: string): string {
    const path = this.path(name);
    return this.#fingerprints.get(name) ??
      (name.endsWith("certified") ? `${path}-cert.pub` : path);
  }

  /** What `gpg.format` must be. */
  formatOf(name: string): "ssh" | "openpgp" {
    return name.startsWith("pgp-") ? "openpgp" : "ssh";
  }

  fingerprint(name: string): string {
    return this.#fingerprints.get(name)!;
  }

  async #makeSsh(): Promise<void> {
    for (const [name, type] of Object.entries(sshKeys)) {
      await output([
        "ssh-keygen",
        "-q",
        ...type,
        "-N",
        "",
        "-C",
        name,
        "-f",
        this.path(name),
      ]);
    }
    const certify = (ca: string, name: string, until: string) =>
      output([
        "ssh-keygen",
        "-q",
        "-s",
        this.path(ca),
        "-I",
        name,
        "-n",
        "carol@example.org",
        "-V",
        `20200101:${until}`,
        `${this.path(name)}.pub`,
      ]);
    await certify("ca", "certified", "20990101");
    await certify("foreign-ca", "foreign-certified", "20990101");
    await certify("ca", "late-certified", "20210101");
  }

  async #makePgp(): Promise<void> {
    const home = this.path("gnupg");
    await Deno.mkdir(home, { mode: 0o700 });
    const env = { GNUPGHOME: home };
    const gpg = (...args: string[]) =>
      output([
        "gpg",
        "--batch",
        "--quiet",
        "--passphrase",
        "",
        "--pinentry-mode",
        "loopback",
        ...args,
      ], { env });
    for (const [name, [id, until, at]] of Object.entries(pgpKeys)) {
      await gpg(
        "--faked-system-time",
        at,
        "--quick-gen-key",
        id,
        "ed25519",
        "sign",
        until,
      );
      const address = /<(.*)>/.exec(id)![1]!;
      const listed = await gpg("--with-colons", "--list-keys", address);
      const fingerprint = /^fpr:+([0-9A-F]{40}):/m.exec(listed)![1]!;
      this.#fingerprints.set(name, fingerprint);
    }
    const revoked = this.#fingerprints.get("pgp-revoked")!;
    for (const [name, fingerprint] of this.#fingerprints) {
      if (name === "pgp-revoked") continue;
      await gpg(
        "--armor",
        "--output",
        this.publicPgp(name),
        "--export",
        fingerprint,
      );
    }
    // gpg made it with the key; a colon keeps it from being used by mistake.
    const certificate = join(home, "openpgp-revocs.d", `${revoked}.rev`);
    const text = (await Deno.readTextFile(certificate)).replace(
      ":-----BEGIN",
      "-----BEGIN",
    );
    await this.#writeGpg(home);
    // Signs while it still may: the private half is used by hand from here on.
    await Deno.copyFile(join(home, "pubring.kbx"), join(home, "before.kbx"));
    await output(["gpg", "--batch", "--quiet", "--import"], {
      env,
      input: text,
    });
    await gpg(
      "--armor",
      "--output",
      this.publicPgp("pgp-revoked"),
      "--export",
      revoked,
    );
    await Deno.rename(join(home, "before.kbx"), join(home, "pubring.kbx"));
  }

  /** Signs with an old key at a time when it was valid. */
  async #writeGpg(home: string): Promise<void> {
    const old = this.#fingerprints.get("pgp-old")!;
    const revoked = this.#fingerprints.get("pgp-revoked")!;
    const script = `#!/bin/sh
export GNUPGHOME='${home}'
case "$*" in
*${old}* | *${revoked}*) set -- --faked-system-time ${longAgo} "$@" ;;
esac
[ -z "\${GPG_MORE:-}" ] || set -- $GPG_MORE "$@"
exec gpg --batch --quiet --pinentry-mode loopback --passphrase '' "$@"
`;
    await Deno.writeTextFile(this.gpg, script);
    await Deno.chmod(this.gpg, 0o755);
  }

  /** Ends the agent that signing has started. */
  async [Symbol.asyncDispose](): Promise<void> {
    await output(["gpgconf", "--kill", "all"], {
      env: { GNUPGHOME: this.path("gnupg") },
    });
  }
}
