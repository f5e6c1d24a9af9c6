/**
 * Checks one signature with a set of keys.
 *
 * @module
 */
import type { Run } from "../run/run.ts";
import type { Signer } from "../state/state.ts";
import { formProblem } from "./form.ts";
import {
  type Bad,
  checkCommand,
  type Good,
  type Keyring,
  refusalOf,
  signerOf,
} from "./signature.ts";
import { contentsOf, failed } from "./trusted_keys.ts";

/** Returns the signer of a good signature. */
export function toSigner({ ok: _, ...signer }: Good): Signer {
  return signer;
}

/**
 * Lets Git check the signature of a commit or tag, if its form is usual.
 *
 * @param content The object's content, if it was read already.
 */
export async function judge(
  run: Run,
  mirror: string,
  type: "commit" | "tag",
  id: string,
  keyring: Keyring,
  content?: Uint8Array,
): Promise<Good | Bad> {
  const bytes = content ?? (await contentsOf(run, mirror, [id]))[0];
  const text = new TextDecoder().decode(bytes);
  const trouble = formProblem(type, text);
  if (trouble) return trouble;
  const check = async (keys: Keyring) => {
    const command = checkCommand(mirror, type, id, keys);
    const finished = await run.effects.run({ ...command, most: 2 ** 20 });
    // A killed process has checked nothing.
    if (finished.code > 128 || finished.timedOut) {
      throw failed(command, finished);
    }
    return finished;
  };
  const finished = await check(keyring);
  const signer = finished.code === 0 ? signerOf(finished.stderr) : undefined;
  if (signer && keyring.kinds.has(signer.kind)) return signer;
  const bad = refusalOf(type, text, finished.stderr, keyring);
  if (bad.reason !== "unknown-key" || !keyring.revokedKeys) return bad;
  const without = await check({ ...keyring, revokedKeys: undefined });
  return without.code === 0
    ? { ok: false, reason: "key-revoked", says: "is signed by a revoked key" }
    : bad;
}
