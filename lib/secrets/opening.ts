/**
 * The judgement of one encrypted file: it opens here, it is for others, or
 * something is wrong with it.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import { ageStanzas, isAgeFile, openAge, sshTag } from "./age.ts";
import {
  accessTo,
  isSameAddress,
  type Keys,
  openSops,
  type SopsTrouble,
} from "./sops/sops.ts";
import type { SopsFormat } from "./sops/formats.ts";
import { plainLeaves } from "./sops/leaves.ts";
import { readSops, recipientsOf, type SopsFile } from "./sops/metadata.ts";
import type { CreationRule } from "./sops/rules.ts";
import { type Problem, quoted } from "./problems.ts";

/** A file to judge. */
export interface SecretFile {
  /** How people name it. */
  name: string;
  bytes: Uint8Array;
  /** How sops reads it; `age` for files of age. */
  format: SopsFormat | "age";
  /** The creation rule that it falls under. */
  rule?: CreationRule;
  /** Whether that rule is about this very place, so that it must be encrypted. */
  expected?: boolean;
}

/** What a file is to this host. */
export type Answer =
  /** `remember`: what opened once opens again while nothing changes. */
  | { kind: "opened"; remember: boolean }
  /** `note`: something is wrong with it all the same. */
  | { kind: "foreign"; note?: Problem }
  /** Nothing in it is encrypted, nor should be. */
  | { kind: "plain" }
  | { kind: "problem"; problem: Problem };

type Found = Omit<Problem, "file">;

/**
 * Judges one file. Never throws over what is in it.
 *
 * @param timeout Milliseconds that opening it may take.
 */
export async function judgeFile(
  effects: Effects,
  keys: Keys,
  file: SecretFile,
  timeout?: number,
): Promise<Answer> {
  return file.format === "age"
    ? await judgeAge(effects, keys, file, timeout)
    : await judgeSops(effects, keys, file, file.format, timeout);
}

async function judgeAge(
  effects: Effects,
  { identities }: Keys,
  { name, bytes }: SecretFile,
  timeout: number | undefined,
): Promise<Answer> {
  const text = new TextDecoder("latin1").decode(bytes);
  const file = quoted(name);
  const mend =
    `restore it: git checkout REVISION -- ${file}, or make it anew: agenix -e ${file}`;
  if (!isAgeFile(text)) {
    // One that only has something of age in it.
    if (!name.endsWith(".age")) return { kind: "plain" };
    const why = bytes.length === 0
      ? "it is empty"
      : "it is no age file: it was cut off, or never encrypted";
    return problem(name, { reason: "not-age", why, mend });
  }
  const recipients = ageStanzas(text);
  if (!recipients) {
    const why = "its header is cut off";
    return problem(name, { reason: "cut-off", why, mend });
  }
  const opened = await openAge(effects, bytes, identities, timeout);
  if (opened.ok) return { kind: "opened", remember: true };
  const tags = await Promise.all(
    identities.flatMap(({ recipients }) => recipients).map(sshTag),
  );
  const isOwn = recipients.some((one) => tags.includes(one));
  if (opened.foreign && !isOwn) return { kind: "foreign" };
  const { why } = opened;
  return problem(name, { reason: "damaged", why, recipients, mend });
}

async function judgeSops(
  effects: Effects,
  keys: Keys,
  given: SecretFile,
  format: SopsFormat,
  timeout: number | undefined,
): Promise<Answer> {
  const { name, bytes, rule } = given;
  const file = readSops(format, new TextDecoder().decode(bytes));
  if (file.kind !== "sops") return judgeOther(keys, given, file);
  const recipients = recipientsOf(file).map(({ name }) => name);
  const bad = (found: Omit<Found, "recipients">) =>
    problem(name, { ...found, recipients });
  const foreignVault = otherVault(file, keys);
  const access = accessTo(file, keys);
  if (foreignVault && (access.own.length > 0 || isVaultAlone(file))) {
    return bad(vaultAddress(name, foreignVault, keys));
  }
  if (recipients.length === 0) {
    const why = "it names nobody who could open it";
    return bad({ reason: "no-recipients", why, mend: restore(name) });
  }
  if (access.own.length === 0) {
    return rule && isOwnRule(rule, keys)
      ? bad({
        reason: "updatekeys-forgotten",
        why: ".sops.yaml names this host for it, but the file itself does not",
        mend: `sops updatekeys ${quoted(name)}`,
      })
      : { kind: "foreign" };
  }
  const found = faultOf(name, file, access.groupsWithVault);
  if (found) return bad(found);
  const needsVault = access.groups < file.needed;
  const own = new Set(access.own.map(({ name }) => name));
  const opened = await openSops(
    effects,
    bytes,
    format,
    { ...keys, identities: firstThose(keys.identities, own) },
    needsVault,
    timeout,
  );
  // Whether Vault answers is another question each time.
  if (opened.ok) return { kind: "opened", remember: !needsVault };
  const { reason, why } = opened;
  return bad({ reason, why, ...mending(reason, name) });
}

/** What the text alone shows to be wrong. */
function faultOf(
  name: string,
  file: SopsFile,
  groups: number,
): Omit<Found, "recipients"> | undefined {
  if (groups < file.needed) {
    return {
      reason: "key-groups",
      why:
        `it takes ${file.needed} key groups to open it, and this host is in ${groups}`,
      mend:
        `add this host to more groups in .sops.yaml, then: sops updatekeys ${
          quoted(name)
        }`,
    };
  }
  const plain = plainLeaves(file.documents, file.rule);
  if (plain.length > 0) {
    return {
      reason: "plaintext-value",
      why: "a value in it that should be encrypted is not",
      key: plain.slice(0, 5).join(", "),
      mend: `take the value out, and put a new one in: sops edit ${
        quoted(name)
      }`,
    };
  }
  if (!file.hasMac) {
    return {
      reason: "no-mac",
      why: "it has no MAC, so that nobody could tell whether it was changed",
      mend: restore(name),
    };
  }
  return undefined;
}

/** A file without sops metadata: never encrypted, or no longer whole. */
function judgeOther(
  keys: Keys,
  { name, bytes, rule, expected, format }: SecretFile,
  file: Exclude<ReturnType<typeof readSops>, SopsFile>,
): Answer {
  if (file.kind === "plain" && (!expected || bytes.length === 0)) {
    return { kind: "plain" };
  }
  const found: Found = file.kind === "plain"
    ? {
      reason: "plaintext",
      why: ".sops.yaml has a rule for it, but it is not encrypted",
      mend: `sops encrypt --in-place ${
        quoted(name)
      }, and change what was in it, for Git remembers it; or secrets.ignore`,
    }
    : file.kind === "headless"
    ? {
      reason: "cut-off",
      why: "it has encrypted values, but sops's metadata is missing",
      mend: restore(name),
    }
    : {
      reason: "broken",
      why:
        `it was encrypted by sops, but it is no ${format} any more: ${file.why}`,
      mend: restore(name),
    };
  // Whom it is for, only the rule still tells.
  return rule && rule.groups.length > 0 && !isOwnRule(rule, keys)
    ? { kind: "foreign", note: { file: name, ...found } }
    : problem(name, found);
}

function mending(
  reason: SopsTrouble,
  name: string,
): Pick<Problem, "mend" | "transient"> {
  switch (reason) {
    case "vault-sealed":
      return { mend: "unseal Vault: vault operator unseal", transient: true };
    case "vault-unreachable":
      return {
        mend: "look at Vault, the network, and the service behind vault.socket",
        transient: true,
      };
    case "vault-refused":
      return { mend: "allow this host's role to update transit/decrypt/KEY" };
    case "timed-out":
      return {
        mend: "the next run tries again; or raise timeouts.secrets",
        transient: true,
      };
    case "data-key":
      return { mend: `sops updatekeys ${quoted(name)}` };
    case "value-changed":
    case "tampered":
    case "no-mac":
    case "sops-failed":
      return { mend: restore(name) };
  }
}

const restore = (name: string) =>
  `restore it: git checkout REVISION -- ${quoted(name)}`;

function problem(file: string, found: Found): Answer {
  return { kind: "problem", problem: { file, ...found } };
}

/** Whether a creation rule names this host. */
export function isOwnRule({ groups }: CreationRule, keys: Keys): boolean {
  return accessTo({ groups }, keys).own.length > 0;
}

/** An address of Vault in the file that is not the configured one. */
function otherVault(file: SopsFile, { vault }: Keys): string | undefined {
  if (!vault) return undefined;
  return recipientsOf(file).map(({ vault }) => vault?.address)
    .find((address) =>
      address !== undefined && !isSameAddress(address, vault.address)
    );
}

const isVaultAlone = (file: SopsFile) =>
  recipientsOf(file).every(({ kind }) => kind === "hc_vault");

function vaultAddress(name: string, address: string, { vault }: Keys) {
  return {
    reason: "vault-address",
    why:
      `it names the Vault at ${address}, but this host may only ask ${vault?.address}`,
    mend: `put the right address in .sops.yaml, then: sops updatekeys ${
      quoted(name)
    }`,
  };
}

/** sops takes one SSH key and one home of GnuPG: the ones that are named. */
function firstThose<T extends { recipients: readonly string[] }>(
  identities: readonly T[],
  own: ReadonlySet<string>,
): T[] {
  const rank = ({ recipients }: T) =>
    recipients.some((one) =>
        [...own].some((name) => name.startsWith(one) || one.endsWith(name))
      )
      ? 0
      : 1;
  return identities.toSorted((a, b) => rank(a) - rank(b));
}
