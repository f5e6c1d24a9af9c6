/**
 * The age of a built system, with its plugins (`age.ageBin`).
 *
 * @module
 */
import type { Command, Effects } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { commandInUnit } from "../host/systemd.ts";
import { hasSystemd } from "../host/system.ts";
import { ageStanzas, decrypting, type Opened, openedBy } from "./age.ts";
import type { AgeProgram } from "./agenix.ts";
import type { Identity } from "./identities.ts";

/**
 * Whether any version of age can open a file: it is only for X25519 and SSH
 * keys. Other recipients need a plugin, or a newer age.
 *
 * @param content The encrypted bytes.
 */
export function isForAnyAge(content: Uint8Array): boolean {
  const text = new TextDecoder("latin1").decode(content);
  const stanzas = ageStanzas(text) ?? [];
  return stanzas.every((one) =>
    /^(?:X25519|ssh-(?:ed25519|rsa) .*)$/.test(one)
  );
}

/**
 * Lets the program that will decrypt a file try it. With systemd it runs in a
 * unit: this program may not run programs of the store.
 *
 * @param file The file to decrypt.
 * @param timeout The timeout in milliseconds.
 * @returns `undefined` if it can't be run here.
 */
export async function openWith(
  effects: Effects,
  { path, plugins }: AgeProgram,
  file: string,
  identities: readonly Identity[],
  timeout: number,
): Promise<Opened | undefined> {
  const args = [...decrypting(identities), "-o", "/dev/null", file];
  // Before the host's own PATH; the script only sets it for plugins.
  const env = { PATH: [...plugins, Deno.env.get("PATH")].join(":") };
  const unit = `gitops-sync-age-${crypto.randomUUID().slice(0, 8)}`;
  const seconds = Math.max(1, Math.ceil(timeout / 1000));
  const command: Command = hasSystemd()
    ? commandInUnit(unit, [path, ...args], env, seconds)
    : { program: path, args, env, timeout };
  try {
    return openedBy(await effects.run({ ...command, capture: false }));
  } catch (error) {
    const isNotRun = error instanceof SyncError &&
      /^program-/.test(error.reason);
    if (isNotRun) return undefined;
    throw error;
  }
}
