/**
 * Signatures of notes, as ssh-keygen checks them. What passes is decided by its
 * exit code.
 *
 * @module
 */
import type { Effects, Finished } from "../base/effects.ts";
import { oneLine } from "../base/text.ts";
import type { SignedFile } from "../git/notes.ts";
import { noteNamespace } from "./note.ts";

/** Who signed a note. */
export interface NoteSigner {
  name: string;
  /** The key's fingerprint. */
  key: string;
}

/** The keys that count, as files that nobody else can change. */
export interface NoteKeys {
  /** Allowed signers. */
  signers: string;
  /** Keys that count no longer. */
  revoked?: string;
}

/** Names of one key that are tried. */
const mostNames = 5;

/**
 * Checks the signature of a file, at the present time.
 *
 * @param folder A folder for the signature; that of another note is replaced.
 * @returns who signed it, or `undefined` where no allowed key did.
 */
export async function noteSigner(
  effects: Pick<Effects, "run">,
  { signers, revoked }: NoteKeys,
  folder: string,
  { bytes, signature }: Pick<SignedFile, "bytes" | "signature">,
): Promise<NoteSigner | undefined> {
  const path = `${folder}/note.sig`;
  await Deno.writeFile(path, signature, { mode: 0o600 });
  const ask = (args: readonly string[]): Promise<Finished> =>
    effects.run({
      program: "ssh-keygen",
      args: ["-Y", ...args, "-s", path, "-f", signers],
      env: { LC_ALL: "C" },
      input: bytes,
      timeout: 60_000,
      most: 1 << 16,
    });
  const found = await ask(["find-principals"]);
  if (found.code !== 0) return undefined;
  const names = new TextDecoder().decode(found.stdout).split("\n")
    .filter((name) => name !== "").slice(0, mostNames);
  for (const name of names) {
    const { code, stdout } = await ask([
      ...["verify", "-I", name, "-n", noteNamespace],
      ...revoked === undefined ? [] : ["-r", revoked],
    ]);
    if (code !== 0) continue;
    const said = new TextDecoder().decode(stdout);
    const key = /with \S+ key (SHA256:\S+)/.exec(said)?.[1] ?? "";
    return { name: oneLine(name, 200), key };
  }
  return undefined;
}
