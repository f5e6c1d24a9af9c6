/**
 * Whether a sops file opens here, by sops itself.
 *
 * @module
 */
import type { Effects, Finished } from "../../base/effects.ts";
import { oneLine } from "../../base/text.ts";
import { type Identity, isOfPlugin } from "../identities.ts";
import type { SopsFormat } from "./formats.ts";
import type { SopsFile, SopsRecipient } from "./metadata.ts";

/** What this host opens sops files with. */
export interface Keys {
  identities: readonly Identity[];
  /** All of {@linkcode ageKeysBeyondAFile}, where there are such. */
  ageKeyFile?: string;
  /** The one Vault that may be asked, and the socket that asks it. */
  vault?: { address: string; socket: string };
}

/** How far the keys of this host reach into a file. */
export interface Access {
  /** Those of the file's recipients that are this host's. */
  own: readonly SopsRecipient[];
  /** Those that a plugin of age on this host may speak for. */
  perhaps: readonly SopsRecipient[];
  /** In how many key groups there is a key that is surely this host's. */
  groups: number;
  /** The same, with Vault and with what plugins may open. */
  groupsAtMost: number;
  /** Whether one of those is a key of the one Vault that may be asked. */
  hasVault: boolean;
}

/** Whom of those that a file names this host can speak for. */
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

/** What came of opening a file. */
export type SopsOpened =
  | { ok: true }
  | { ok: false; reason: SopsTrouble; why: string };

/** Why a file does not open. */
export type SopsTrouble =
  | "value-changed"
  | "tampered"
  | "no-mac"
  | "data-key"
  | "vault-sealed"
  | "vault-unreachable"
  | "vault-refused"
  | "timed-out"
  /** It was killed, lacked memory, or is not there. */
  | "program-ended"
  | "sops-failed";

/** What the exit codes of sops mean (sops, `cmd/sops/codes/codes.go`). */
const meanings: Readonly<Record<number, [SopsTrouble, string]>> = {
  25: [
    "value-changed",
    "a value in it does not decrypt: it was changed by hand or cut off",
  ],
  51: ["tampered", "its MAC does not match: it was changed without sops"],
  52: ["no-mac", "it has no MAC"],
};

/** What Vault and the socket before it answer, as sops passes it on. */
const vaultMeanings: readonly [RegExp, SopsTrouble, string][] = [
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
 * Tries to decrypt a sops file with this host's keys and no other; the
 * plaintext is thrown away unread.
 *
 * @param content The encrypted bytes.
 * @param vault Whether it takes Vault to open it.
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
  const trouble = troubleOf(finished, vault);
  if (!["sops-failed", "tampered"].includes(trouble.reason)) return trouble;
  // Versions differ in what they read.
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

function troubleOf(
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
    // sops folds what it tells.
    const told = finished.stderr.replace(/\n\s*\| ?/g, " ");
    const found = vaultMeanings.find(([sign]) => sign.test(told));
    if (found) {
      const why = agentWords(finished.stderr) ?? found[2];
      return { ok: false, reason: found[1], why };
    }
    if (finished.code === 128) {
      const why = agentWords(finished.stderr) ??
        "Vault does not decrypt its data key";
      return { ok: false, reason: "vault-refused", why };
    }
  }
  if (finished.code === 128) {
    const why = "its data key can't be recovered with this host's keys";
    return { ok: false, reason: "data-key", why };
  }
  // What sops quotes may be a value that is not encrypted.
  const said = finished.stderr.replace(/`[^`]*`|"[^"]*"|'[^']*'/g, "…");
  const why = /does not match sops' data format/.test(finished.stderr)
    ? "a value in it is not encrypted"
    : `exit code ${finished.code}: ${oneLine(said, 200)}`;
  return { ok: false, reason: "sops-failed", why };
}

/**
 * What vault-agent answered in its own words, with what mends it. sops folds
 * them.
 */
function agentWords(stderr: string): string | undefined {
  const words = /\* (Cannot [^]*?)(?:\n\s*\n|\n[^|\n]*\*|$)/.exec(stderr)?.[1];
  return words && oneLine(words.replace(/\n\s*\|/g, " "), 300);
}

/**
 * The age keys as the one file that sops takes, or `undefined` where the file
 * of an identity does. Secret!
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
    // Not the user's own either.
    GNUPGHOME: pgp?.path ?? "/var/empty",
    SOPS_DISABLE_VERSION_CHECK: "1",
    // sops asks whatever address a file names, unless it is told another one.
    VAULT_AGENT_ADDR: `unix://${
      vault && asksVault ? vault.socket : "/var/empty/no-vault"
    }`,
    VAULT_MAX_RETRIES: "0",
    // The keys of the user who runs this are not the host's: a file that only
    // they open would be missing after the next boot.
    HOME: "/var/empty",
    XDG_CONFIG_HOME: "/var/empty",
  };
}
