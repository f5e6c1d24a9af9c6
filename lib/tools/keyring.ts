/**
 * Keyrings of a run's own, made from the files that hold the trusted keys.
 * No agent is started, no key server asked, no keyring of a user read.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import { lastWords } from "./git.ts";
import { type KeyFile, keysError } from "./key_file.ts";
import { gpgStatus, type Keyring } from "./signature.ts";
import { writeRevoked, writeSigners } from "./ssh_keys.ts";

/** The trusted keys as they were found. */
export interface KeySet {
  /** Files of allowed signers. */
  ssh: readonly KeyFile[];
  /** Files of public keys. */
  openpgp: readonly KeyFile[];
  /** A file of revoked SSH keys. */
  revoked?: KeyFile;
}

/** Read by gpg from its folder (gpg(1)). */
const gpgConfig = [
  "no-autostart",
  "disable-dirmngr",
  "no-auto-key-retrieve",
  "no-auto-key-locate",
  "no-auto-check-trustdb",
  // What is in this keyring was put there by whoever configured it.
  "trust-model always",
].map((line) => `${line}\n`).join("");

/**
 * Makes a keyring in a new folder.
 *
 * @throws {SyncError} `keys-missing`, `keys-empty`, `keys-broken`: a set of
 * keys that can't be read whole is an error and never a smaller set.
 */
export async function makeKeyring(
  effects: Pick<Effects, "run">,
  folder: string,
  keys: KeySet,
): Promise<Keyring> {
  if (keys.ssh.length + keys.openpgp.length === 0) {
    throw keysError("keys-missing", "no file of trusted keys is configured");
  }
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  const allowedSigners = `${folder}/allowed_signers`;
  await Deno.writeTextFile(allowedSigners, "", { createNew: true });
  for (const [i, file] of keys.ssh.entries()) {
    const path = `${folder}/${i}.signers`;
    await writeSigners(effects, path, file);
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(allowedSigners, text, { append: true });
  }
  const revokedKeys = keys.revoked && `${folder}/revoked`;
  if (keys.revoked) {
    await writeRevoked(effects, `${folder}/revoked`, keys.revoked);
  }
  const gnupgHome = `${folder}/gnupg`;
  await Deno.mkdir(gnupgHome, { mode: 0o700 });
  await Deno.writeTextFile(`${gnupgHome}/gpg.conf`, gpgConfig);
  for (const [i, file] of keys.openpgp.entries()) {
    await importKeys(effects, gnupgHome, `${folder}/${i}.pgp`, file);
  }
  return {
    allowedSigners,
    gnupgHome,
    revokedKeys,
    kinds: new Set([
      ...(keys.ssh.length > 0 ? ["ssh" as const] : []),
      ...(keys.openpgp.length > 0 ? ["openpgp" as const] : []),
    ]),
  };
}

async function importKeys(
  effects: Pick<Effects, "run">,
  gnupgHome: string,
  path: string,
  { where, bytes }: KeyFile,
): Promise<void> {
  if (bytes.length === 0) throw keysError("keys-empty", `${where} is empty`);
  await Deno.writeFile(path, bytes, { createNew: true, mode: 0o600 });
  const finished = await effects.run({
    program: "gpg",
    args: ["--batch", "--no-tty", "--status-fd=1", "--import", "--", path],
    env: { GNUPGHOME: gnupgHome, LC_ALL: "C" },
    timeout: 60_000,
    most: 2 ** 20,
  });
  const [read, privates] = readAndPrivate(finished.stdout);
  if (privates > 0) {
    throw keysError("keys-private", `${where} holds a private key`);
  }
  if (finished.code !== 0 || read === 0) {
    throw keysError(
      "keys-broken",
      `${where} does not hold OpenPGP public keys and nothing else`,
      lastWords(finished),
    );
  }
}

/** How many keys gpg read, and how many private ones (doc/DETAILS). */
function readAndPrivate(status: Uint8Array): [number, number] {
  const result = gpgStatus(new TextDecoder().decode(status), "IMPORT_RES");
  const numbers = result?.split(" ").map(Number) ?? [];
  return [numbers[0] ?? 0, numbers[9] ?? 0];
}
