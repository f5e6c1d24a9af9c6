/**
 * The private keys that the commands about secrets may use.
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

/** Where people keep theirs, from their home (sops, age). */
export const ofPeople = [
  ".config/sops/age/keys.txt",
  ".ssh/id_ed25519",
  ".ssh/id_rsa",
];

/**
 * Reads the host's identities.
 *
 * @throws {SyncError} for one that the configuration names and that is no key.
 */
export async function hostIdentities(
  effects: Effects,
  config: Pick<LocalConfig, "secrets.identities">,
): Promise<Identity[]> {
  const named = config["secrets.identities"];
  return named === undefined
    ? await readThose(effects, usualIdentities)
    : await Promise.all(named.map((path) => readIdentity(effects, path)));
}

/** The same, with the keys of the person who runs this beside them. */
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
  return [...all, ...await readThose(effects, own)];
}

/** Those that are there and can be read. */
async function readThose(
  effects: Effects,
  paths: readonly string[],
): Promise<Identity[]> {
  const read = await Promise.all(
    paths.map((path) => readIdentity(effects, path).catch(() => undefined)),
  );
  return read.filter((one) => one !== undefined);
}
