/**
 * Signatures of notes, checked by ssh-keygen and gpg. Their exit codes decide
 * what passes; their output only names the signer.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import type { SignedFile } from "../git/notes.ts";
import { noteNamespace } from "./note.ts";
import { type Good, gpgStatus, type Keyring, signerOf } from "./signature.ts";

/** How many names of one key are tried. */
const mostNames = 5;

/**
 * Checks the signature of a file, as of now.
 *
 * @param keyring The trusted keys.
 * @param folder A folder for the signature; replaces that of another note.
 * @returns the signer, or `undefined` if no trusted key signed it.
 */
export async function noteSigner(
  effects: Pick<Effects, "run">,
  keyring: Keyring,
  folder: string,
  { bytes, signature }: Pick<SignedFile, "bytes" | "signature">,
): Promise<Good | undefined> {
  const path = `${folder}/note.sig`;
  await Deno.writeFile(path, signature, { mode: 0o600 });
  const begin = new TextDecoder().decode(signature.subarray(0, 100));
  const [, kind] = /^-----BEGIN (SSH|PGP) SIGNATURE-----\n/.exec(begin) ?? [];
  if (kind === "SSH" && keyring.kinds.has("ssh")) {
    return await sshSigner(effects, keyring, path, bytes);
  }
  return kind === "PGP" && keyring.kinds.has("openpgp")
    ? await openpgpSigner(effects, keyring, path, bytes)
    : undefined;
}

const bounds = { timeout: 60_000, most: 1 << 16 };

async function sshSigner(
  effects: Pick<Effects, "run">,
  { allowedSigners, revokedKeys }: Keyring,
  path: string,
  input: Uint8Array,
): Promise<Good | undefined> {
  const ask = (...args: string[]) =>
    effects.run({
      program: "ssh-keygen",
      args: ["-Y", ...args, "-s", path, "-f", allowedSigners],
      env: { LC_ALL: "C" },
      input,
      ...bounds,
    });
  const found = await ask("find-principals");
  if (found.code !== 0) return undefined;
  const names = new TextDecoder().decode(found.stdout).split("\n")
    .filter((name) => name !== "").slice(0, mostNames);
  const revoked = revokedKeys === undefined ? [] : ["-r", revokedKeys];
  for (const name of names) {
    const args = ["verify", "-I", name, "-n", noteNamespace, ...revoked];
    const { code, stdout } = await ask(...args);
    if (code !== 0) continue;
    const said = new TextDecoder().decode(stdout);
    const good = signerOf(said.replace(`"${noteNamespace}"`, '"git"'));
    return good ?? { ok: true, kind: "ssh", name, key: "" };
  }
  return undefined;
}

/**
 * Checks an OpenPGP signature. OpenPGP has no namespaces, but nothing else that
 * people sign has the form of a note.
 */
async function openpgpSigner(
  effects: Pick<Effects, "run">,
  { gnupgHome }: Keyring,
  path: string,
  input: Uint8Array,
): Promise<Good | undefined> {
  const { code, stdout } = await effects.run({
    program: "gpg",
    args: ["--batch", "--no-tty", "--status-fd=1", "--verify", path, "-"],
    env: { GNUPGHOME: gnupgHome, LC_ALL: "C" },
    input,
    ...bounds,
  });
  const raw = new TextDecoder().decode(stdout);
  // Only one signature: of several, one may be somebody else's.
  const isOne = raw.split("[GNUPG:] NEWSIG").length === 2;
  return code === 0 && isOne && gpgStatus(raw, "GOODSIG") !== undefined
    ? signerOf(raw)
    : undefined;
}
