/**
 * Checks with sops whether a sops file opens here.
 *
 * @module
 */
import type { Effects, Finished } from "../../base/effects.ts";
import { oneLine } from "../../base/text.ts";
import { type Identity, isOfPlugin } from "../identities.ts";
import type { SopsFormat } from "./formats.ts";
import type { SopsFile, SopsRecipient } from "./metadata.ts";

/** The keys of this host for sops files. */
export interface Keys {
  identities: readonly Identity[];
  /** A file with all of {@linkcode ageKeysBeyondAFile}, if there are any. */
  ageKeyFile?: string;
  /** The configured Vault, and the socket of vault-agent. */
  vault?: { address: string; socket: string };
}

/** The access of this host's keys to a file. */
export interface Access {
  /** The file's recipients that belong to this host. */
  own: readonly SopsRecipient[];
  /** The recipients that an age plugin on this host may open. */
  perhaps: readonly SopsRecipient[];
  /**
   * The number of key groups with a key that certainly belongs to this host.
   */
  groups: number;
  /** The same, with Vault and with what plugins may open. */
  groupsAtMost: number;
  /** Whether one of them is a key of the configured Vault. */
  hasVault: boolean;
}

/** Finds the recipients of a file that this host can act as. */
export function accessTo(
  file: Pick<SopsFile, "groups">,
  keys: Keys,
): Access {
  const named = new Set(
    keys.identities.flatMap(({ recipients }) => recipients),
  );
  const hasPlugin = keys.identities.some(({ plugins }) => plugins);
  const has = ({ kind, name }: SopsRecipient) =>
    kind === "age"
      ? named.has(name.split(" ").slice(0, 2).join(" "))
      : kind === "pgp" && [...named].some((one) => isFingerprint(one, name));
  const isVault = ({ vault }: SopsRecipient) =>
    vault !== undefined && isSameAddress(vault.address, keys.vault?.address);
  const isPerhaps = (one: SopsRecipient) =>
    hasPlugin && one.kind === "age" && !has(one) && isOfPlugin(one.name);
  const all = file.groups.flat();
  const groupsWith = (test: (one: SopsRecipient) => boolean) =>
    file.groups.filter((group) => group.some(test)).length;
  return {
    own: all.filter((one) => has(one) || isVault(one)),
    perhaps: all.filter(isPerhaps),
    hasVault: all.some(isVault),
    groups: groupsWith(has),
    groupsAtMost: groupsWith((one) =>
      has(one) || isPerhaps(one) || isVault(one)
    ),
  };
}

// A key may be named by the end of its fingerprint.
const isFingerprint = (whole: string, name: string) =>
  /^[0-9A-F]{40}$/.test(whole) && name.length >= 16 && whole.endsWith(name);

/** Whether two addresses of Vault are the same, as URLs (RFC 3986, 6.2). */
export function isSameAddress(a: string, b: string | undefined): boolean {
  const normal = (address: string) =>
    (URL.parse(address.trim())?.href ?? address).replace(/\/+$/, "");
  return b !== undefined && normal(a) === normal(b);
}

/** The result of opening a file. */
export type SopsOpened =
  | { ok: true }
  | { ok: false; reason: SopsReason; why: string };

/** Why a file does not open. */
export type SopsReason =
  | "value-changed"
  | "tampered"
  | "no-mac"
  | "data-key"
  | "vault-sealed"
  | "vault-unreachable"
  | "vault-refused"
  | "timed-out"
  /** sops was killed, lacked memory, or is missing. */
  | "program-ended"
  | "sops-failed";

/** What the exit codes of sops mean (sops, `cmd/sops/codes/codes.go`). */
const meanings: Readonly<Record<number, [SopsReason, string]>> = {
  25: [
    "value-changed",
    "a value in it does not decrypt: it was changed by hand or cut off",
  ],
  51: ["tampered", "its MAC does not match: it was changed without sops"],
  52: ["no-mac", "it has no MAC"],
};

/** The answers of Vault and vault-agent, as sops prints them. */
const vaultMeanings: readonly [RegExp, SopsReason, string][] = [
  [/\bsealed|not initiali[sz]ed/i, "vault-sealed", "Vault is sealed"],
  [
    /permission denied|Code: 40[0-9]/i,
    "vault-refused",
    "Vault does not let this host decrypt with that key",
  ],
  [
    /dial unix|Code: (?:424|429|5\d\d)|connection re(?:fused|set)|deadline|timeout|EOF/i,
    "vault-unreachable",
    "Vault can't be reached",
  ],
];

/**
 * Tries to decrypt a sops file with only this host's keys; discards the
 * plaintext unread.
 *
 * @param content The encrypted bytes.
 * @param vault Whether opening it needs Vault.
 */
export async function openSops(
  effects: Effects,
  content: Uint8Array,
  format: SopsFormat,
  keys: Keys,
  vault: boolean,
  timeout = 60_000,
): Promise<SopsOpened> {
  const finished = await effects.run({
    program: "sops",
    args: [
      "decrypt",
      "--input-type",
      format,
      "--output-type",
      format,
      "/dev/stdin",
    ],
    env: environmentOf(keys, vault),
    input: content,
    capture: false,
    timeout,
  });
  if (finished.code === 0) return { ok: true };
  const trouble = failureOf(finished, vault);
  if (!["sops-failed", "tampered"].includes(trouble.reason)) return trouble;
  // Versions of sops differ in what they can read.
  const why = `${await versionOf(effects)} reports: ${trouble.why}`;
  return { ...trouble, why };
}

async function versionOf(effects: Effects): Promise<string> {
  const { stdout } = await effects.run({
    program: "sops",
    args: ["--version", "--disable-version-check"],
    env: { SOPS_DISABLE_VERSION_CHECK: "1", HOME: "/var/empty" },
    timeout: 10_000,
  });
  const version = /\d+\.\d+\.\d+/.exec(new TextDecoder().decode(stdout))?.[0];
  return version === undefined ? "sops" : `sops ${version}`;
}

function failureOf(
  finished: Finished,
  vault: boolean,
): Exclude<SopsOpened, { ok: true }> {
  if (finished.timedOut) {
    return { ok: false, reason: "timed-out", why: "it took too long" };
  }
  const { code } = finished;
  const isEnded = (code >= 126 && code < 166 && code !== 128) ||
    (code === 2 && /^fatal error: /m.test(finished.stderr));
  if (isEnded) {
    const why = `sops was ended before it finished (exit code ${code})`;
    return { ok: false, reason: "program-ended", why };
  }
  const meaning = meanings[code];
  if (meaning) return { ok: false, reason: meaning[0], why: meaning[1] };
  if (vault) {
    // sops wraps its messages.
    const told = finished.stderr.replace(/\n\s*\| ?/g, " ");
    const found = vaultMeanings.find(([sign]) => sign.test(told));
    if (found) {
      const why = agentMessage(finished.stderr) ?? found[2];
      return { ok: false, reason: found[1], why };
    }
    if (finished.code === 128) {
      const why = agentMessage(finished.stderr) ??
        "Vault does not decrypt its data key";
      return { ok: false, reason: "vault-refused", why };
    }
  }
  if (finished.code === 128) {
    const why = "its data key can't be recovered with this host's keys";
    return { ok: false, reason: "data-key", why };
  }
  // Quoted text may be a value that is not encrypted.
  const said = finished.stderr.replace(/`[^`]*`|"[^"]*"|'[^']*'/g, "…");
  const why = /does not match sops' data format/.test(finished.stderr)
    ? "a value in it is not encrypted"
    : `exit code ${finished.code}: ${oneLine(said, 200)}`;
  return { ok: false, reason: "sops-failed", why };
}

/**
 * Returns the message of vault-agent with its hints, if there is one. sops
 * wraps it.
 */
function agentMessage(stderr: string): string | undefined {
  const words = /\* (Cannot [^]*?)(?:\n\s*\n|\n[^|\n]*\*|$)/.exec(stderr)?.[1];
  return words && oneLine(words.replace(/\n\s*\|/g, " "), 300);
}

/**
 * Returns the age keys for the one file that sops reads, or `undefined` if the
 * file of an identity is enough. Secret!
 */
export function ageKeysBeyondAFile({ identities }: Keys): string | undefined {
  const [first, ...others] = identities.filter(({ ageKeys }) => ageKeys);
  if (!first || (first.kind === "age" && others.length === 0)) return undefined;
  return [first, ...others].map(({ ageKeys }) => `${ageKeys!()}\n`).join("");
}

function environmentOf(
  { identities, ageKeyFile, vault }: Keys,
  asksVault: boolean,
): Record<string, string> {
  const age = ageKeyFile ?? identities.find(({ kind }) => kind === "age")?.path;
  const ssh = identities.find(({ kind }) => kind === "ssh");
  const pgp = identities.find(({ kind }) => kind === "pgp");
  return {
    ...(age ? { SOPS_AGE_KEY_FILE: age } : {}),
    ...(ssh ? { SOPS_AGE_SSH_PRIVATE_KEY_FILE: ssh.path } : {}),
    // Not the user's own GnuPG home either.
    GNUPGHOME: pgp?.path ?? "/var/empty",
    SOPS_DISABLE_VERSION_CHECK: "1",
    // sops connects to any address in a file, unless this variable is set.
    VAULT_AGENT_ADDR: `unix://${
      vault && asksVault ? vault.socket : "/var/empty/no-vault"
    }`,
    VAULT_MAX_RETRIES: "0",
    // The user's own keys are not the host's: a file that only they open would
    // be missing after the next boot.
    HOME: "/var/empty",
    XDG_CONFIG_HOME: "/var/empty",
  };
}
