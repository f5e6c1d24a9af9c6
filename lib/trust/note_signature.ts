/**
 * Signatures of notes, as ssh-keygen and gpg check them. What passes is decided
 * by their exit codes; what they write only says who signed.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import type { SignedFile } from "../git/notes.ts";
import { noteNamespace } from "./note.ts";
import { type Good, gpgStatus, type Keyring, signerOf } from "./signature.ts";

/** Names of one key that are tried. */
const mostNames = 5;

/**
 * Checks the signature of a file, at the present time.
 *
 * @param keyring The keys that count.
 * @param folder A folder for the signature; that of another note is replaced.
 * @returns who signed it, or `undefined` where no allowed key did.
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
 * OpenPGP has no namespaces. What is signed is known by its form: nothing else
 * that people sign has that of a note.
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
  // One signature alone: of several, one may be another's.
  const isOne = raw.split("[GNUPG:] NEWSIG").length === 2;
  return code === 0 && isOne && gpgStatus(raw, "GOODSIG") !== undefined
    ? signerOf(raw)
    : undefined;
}
