/**
 * Reads the private keys that the commands about secrets may use.
 *
 * @module
 */
import { join } from "@std/path";
import type { Effects } from "../../base/effects.ts";
import type { LocalConfig } from "../../config/config.ts";
import {
  type Identity,
  readIdentity,
  usualIdentities,
} from "../../secrets/identities.ts";

/** Where people keep their keys, relative to their home (sops, age). */
export const ofPeople = [
  ".config/sops/age/keys.txt",
  ".ssh/id_ed25519",
  ".ssh/id_rsa",
];

/**
 * Reads the host's identities.
 *
 * @throws {SyncError} if the configuration names a file that is not a key.
 */
export async function hostIdentities(
  effects: Effects,
  config: Pick<LocalConfig, "secrets.identities">,
): Promise<Identity[]> {
  const named = config["secrets.identities"];
  return named === undefined
    ? await readExisting(effects, usualIdentities)
    : await Promise.all(named.map((path) => readIdentity(effects, path)));
}

/** Reads the host's identities, and those of the person who runs this. */
export async function ownIdentities(
  effects: Effects,
  config: Pick<LocalConfig, "secrets.identities">,
): Promise<Identity[]> {
  const all = await hostIdentities(effects, config);
  if (config["secrets.identities"] !== undefined) return all;
  const named = Deno.env.get("SOPS_AGE_KEY_FILE");
  const home = Deno.env.get("HOME");
  const own = [
    ...(named ? [named] : []),
    ...(home ? ofPeople.map((path) => join(home, path)) : []),
  ];
  return [...all, ...await readExisting(effects, own)];
}

/** Reads the identities that exist and are readable. */
async function readExisting(
  effects: Effects,
  paths: readonly string[],
): Promise<Identity[]> {
  const read = await Promise.all(
    paths.map((path) => readIdentity(effects, path).catch(() => undefined)),
  );
  return read.filter((one) => one !== undefined);
}
