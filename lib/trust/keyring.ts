/**
 * The keyrings of a run, made from the files with the trusted keys. No agent is
 * started, no key server is queried, and no user's keyring is read.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import { type KeyFile, keysError } from "../keys/key_file.ts";
import { gpgEscapes, gpgStatus, type Keyring, unescaped } from "./signature.ts";
import { keyBlocks } from "../keys/openpgp_blocks.ts";
import { type Named, writeRevoked, writeSigners } from "../keys/ssh_keys.ts";
import { lastWords } from "../base/text.ts";

/** The files with the trusted keys. */
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
  // The person who configured the host chose the keys in this keyring.
  "trust-model always",
].map((line) => `${line}\n`).join("");

/**
 * Creates a keyring in a new folder.
 *
 * @throws {SyncError} `keys-missing`, `keys-empty`, `keys-broken`: a set of
 * keys that can't be read completely is an error, and never a smaller set.
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
  const gnupgHome = `${folder}/gnupg`;
  const revokedKeys = keys.revoked && `${folder}/revoked`;
  if (keys.revoked) {
    await writeRevoked(effects, `${folder}/revoked`, keys.revoked);
  }
  const named = [
    ...await writeSsh(effects, allowedSigners, keys.ssh),
    ...await importAll(effects, gnupgHome, keys.openpgp),
  ];
  return {
    allowedSigners,
    gnupgHome,
    revokedKeys,
    names: byKey(named),
    kinds: new Set([
      ...(keys.ssh.length > 0 ? ["ssh" as const] : []),
      ...(keys.openpgp.length > 0 ? ["openpgp" as const] : []),
    ]),
  };
}

function byKey(named: readonly Named[]): Map<string, readonly string[]> {
  const names = new Map<string, readonly string[]>();
  for (const { key, names: more } of named) {
    names.set(key, [...names.get(key) ?? [], ...more]);
  }
  return names;
}

/** Combines files of allowed signers into one. */
async function writeSsh(
  effects: Pick<Effects, "run">,
  path: string,
  files: readonly KeyFile[],
): Promise<Named[]> {
  const named: Named[] = [];
  await Deno.writeTextFile(path, "", { createNew: true });
  for (const [i, file] of files.entries()) {
    const one = `${path}.${i}`;
    named.push(...await writeSigners(effects, one, file));
    const text = await Deno.readTextFile(one);
    await Deno.writeTextFile(path, text, { append: true });
  }
  return named;
}

async function importAll(
  effects: Pick<Effects, "run">,
  gnupgHome: string,
  files: readonly KeyFile[],
): Promise<Named[]> {
  await Deno.mkdir(gnupgHome, { mode: 0o700 });
  await Deno.writeTextFile(`${gnupgHome}/gpg.conf`, gpgConfig);
  for (const [i, file] of files.entries()) {
    if (file.bytes.length === 0) {
      throw keysError("keys-empty", `${file.where} is empty`);
    }
    // One at a time: gpg does not report which of several blocks it skipped.
    const blocks = keyBlocks(file);
    if (blocks.length === 0) throw noKeys(file);
    for (const [j, block] of blocks.entries()) {
      await importKeys(effects, gnupgHome, `${gnupgHome}.${i}.${j}`, block);
    }
  }
  return files.length > 0 ? await namesIn(effects, gnupgHome) : [];
}

async function importKeys(
  effects: Pick<Effects, "run">,
  gnupgHome: string,
  path: string,
  file: KeyFile,
): Promise<void> {
  const { where, bytes } = file;
  await Deno.writeFile(path, bytes, { createNew: true, mode: 0o600 });
  const finished = await effects.run({
    program: "gpg",
    args: ["--batch", "--no-tty", "--status-fd=1", "--import", "--", path],
    ...bounds(gnupgHome),
  });
  const said = new TextDecoder().decode(finished.stdout);
  const [read, privates] = readAndPrivate(said);
  if (privates > 0) {
    throw keysError("keys-private", `${where} contains a private key`);
  }
  if (finished.code !== 0 || read === 0) {
    throw noKeys(file, lastWords(finished));
  }
}

function noKeys({ where }: KeyFile, details: readonly string[] = []) {
  const why = `${where} must contain OpenPGP public keys and nothing else`;
  return keysError("keys-broken", why, details);
}

const bounds = (gnupgHome: string) => ({
  env: { GNUPGHOME: gnupgHome, LC_ALL: "C" },
  timeout: 60_000,
  most: 16 * 2 ** 20,
});

/**
 * Returns the user ids of each key (doc/DETAILS, "Format of the colon
 * listings").
 */
async function namesIn(
  effects: Pick<Effects, "run">,
  gnupgHome: string,
): Promise<Named[]> {
  const listed = await effects.run({
    program: "gpg",
    args: ["--batch", "--no-tty", "--with-colons", "--list-keys"],
    ...bounds(gnupgHome),
  });
  if (listed.code !== 0) {
    const why = "gpg can't list the keys that it imported";
    throw keysError("keys-broken", why, lastWords(listed));
  }
  const found: { key: string; names: string[] }[] = [];
  let kind = "";
  for (const line of new TextDecoder().decode(listed.stdout).split("\n")) {
    const fields = line.split(":");
    if (fields[0] === "uid") {
      const name = unescaped(fields[9]!, gpgEscapes.inListings);
      found.at(-1)?.names.push(name);
    }
    if (fields[0] === "fpr" && kind === "pub") {
      found.push({ key: fields[9]!, names: [] });
    }
    kind = fields[0]!;
  }
  return found;
}

/** Returns how many keys gpg read, and how many private ones (doc/DETAILS). */
function readAndPrivate(status: string): [number, number] {
  const result = gpgStatus(status, "IMPORT_RES");
  const numbers = result?.split(" ").map(Number) ?? [];
  return [numbers[0] ?? 0, numbers[9] ?? 0];
}
