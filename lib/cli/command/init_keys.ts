/**
 * Finds the keys that the first secret is encrypted for.
 *
 * @module
 */
import { join } from "@std/path";
import type { Effects } from "../../base/effects.ts";
import { SyncError, usageError } from "../../base/errors.ts";
import { oneLine } from "../../base/text.ts";
import type { NewFile } from "../../init/write.ts";
import { readIdentity, usualIdentities } from "../../secrets/identities.ts";
import type { Call } from "../call.ts";
import { ofPeople } from "../secrets/identities.ts";
import { usualKey } from "../secrets/keygen.ts";

/** The public keys, and the file of the host's private key. */
export interface Keys {
  host: string;
  admin: string;
  file: string;
  /** The host's key file, if it was made now. */
  made?: NewFile;
}

const form =
  /^(?:age1[0-9a-z+.-]{58,}|ssh-(?:ed25519|rsa) [A-Za-z0-9+/]{60,}=*)$/;

/**
 * Returns the keys of the host and of its admin: from the flags, from files,
 * or, for this host, a new one.
 *
 * @throws {SyncError} exit 2: `key-missing`, `key-wrong`.
 */
export async function keysFor(
  effects: Effects,
  call: Call,
  host: string,
  isHere: boolean,
): Promise<Keys> {
  const admin = given(call, "admin-key") ?? await ownKey(effects) ??
    throwMissing(
      "your own key: only the host could read its secrets",
      "Make a key: `gitops-sync secrets keygen ~/.config/sops/age/keys.txt`.",
      "Or name your public key: `--admin-key age1…`.",
    );
  const named = given(call, "host-key");
  if (named) return { host: named, admin, file: usualKey };
  if (!isHere || Deno.uid() !== 0) {
    throwMissing(
      `the public key of ${host}`,
      isHere
        ? "Run init as root, or make a key as root: `sudo gitops-sync secrets keygen`."
        : "Make a key on that host: `sudo gitops-sync secrets keygen`.",
      "Then name its public key: `--host-key age1…`.",
    );
  }
  for (const path of usualIdentities) {
    const identity = await readIfPossible(effects, path);
    if (identity?.kind !== "age" || !identity.recipients[0]) continue;
    return { host: identity.recipients[0], admin, file: path };
  }
  return { ...await makeKey(effects), admin, file: usualKey };
}

function given({ texts }: Call, flag: string): string | undefined {
  const text = texts[flag]?.trim();
  if (text === undefined) return undefined;
  // Omit the comment of an SSH key.
  const key = text.split(/\s+/).slice(0, text.startsWith("ssh-") ? 2 : 1)
    .join(" ");
  if (form.test(key)) return key;
  throw usageError(
    "key-wrong",
    `Cannot use ${
      oneLine(key, 40)
    } for --${flag}: expected a public key, age1… or "ssh-ed25519 AAAA…"`,
  );
}

function throwMissing(what: string, ...hints: string[]): never {
  throw usageError("key-missing", `Cannot find ${what}`, ...hints);
}

/** Returns the key of the person who runs this, also through sudo. */
async function ownKey(effects: Effects): Promise<string | undefined> {
  const named = Deno.env.get("SOPS_AGE_KEY_FILE");
  const homes = [await homeOf(Deno.env.get("SUDO_USER")), Deno.env.get("HOME")]
    .filter((home) => home !== undefined);
  const paths = [
    ...named ? [named] : [],
    ...homes.flatMap((home) => ofPeople.map((path) => join(home, path))),
  ];
  for (const path of paths) {
    const identity = await readIfPossible(effects, path);
    // The first recipient of an SSH key is the key itself, which both sops and
    // age can decrypt with.
    if (identity?.recipients[0]) return identity.recipients[0];
  }
  return undefined;
}

/** Returns the home folder of a user (passwd(5)). */
async function homeOf(user: string | undefined): Promise<string | undefined> {
  if (user === undefined) return undefined;
  const text = await Deno.readTextFile("/etc/passwd").catch(() => "");
  return text.split("\n").map((line) => line.split(":"))
    .find(([name]) => name === user)?.[5];
}

async function readIfPossible(effects: Effects, path: string) {
  try {
    return await readIdentity(effects, path);
  } catch (error) {
    const isUseless = error instanceof SyncError &&
      error.reason === "identity-unreadable";
    if (isUseless) return undefined;
    throw error;
  }
}

async function makeKey(
  effects: Effects,
): Promise<{ host: string; made: NewFile }> {
  const { code, stdout, stderr } = await effects.run({
    program: "age-keygen",
    args: [],
    timeout: 60_000,
  });
  const text = new TextDecoder().decode(stdout);
  const host = /^# public key: (age1\S+)$/m.exec(text)?.[1];
  if (code !== 0 || host === undefined) {
    throw usageError(
      "key-unmade",
      `Cannot make the host's key: ${
        oneLine(stderr, 200) || "age-keygen failed"
      }`,
    );
  }
  return { host, made: { path: usualKey, content: stdout, mode: 0o400 } };
}
