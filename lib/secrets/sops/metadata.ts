/**
 * What a sops file tells without being decrypted: whom it is for, which of its
 * values are encrypted and which should be. Pure: text in, facts out.
 *
 * The layout of the metadata is that of sops (`stores/stores.go`): a map `sops`
 * in YAML and JSON, flattened into one level in INI and dotenv.
 *
 * @module
 */
import {
  type Fields,
  isMap,
  readDocuments,
  readMetadata,
  type SopsFormat,
} from "./formats.ts";
import {
  encryptedMark,
  isEncryptedValue,
  type LeafRule,
  leaves,
} from "./leaves.ts";

/** The kinds of keys that sops encrypts a file's data key with. */
export const recipientKinds = [
  "age",
  "pgp",
  "hc_vault",
  "kms",
  "gcp_kms",
  "azure_kv",
  "hckms",
] as const;

/** One of {@linkcode recipientKinds}. */
export type RecipientKind = (typeof recipientKinds)[number];

/** A key of Vault's transit engine. */
export interface VaultKey {
  address: string;
  enginePath: string;
  keyName: string;
}

/** One of those that a file is encrypted for. */
export interface SopsRecipient {
  kind: RecipientKind;
  /** `age1…`, `ssh-ed25519 …`, a fingerprint, a URL of Vault, an ARN …. */
  name: string;
  /** Where `kind` is `hc_vault`. */
  vault?: VaultKey;
}

/** What is known of a file that sops encrypted. */
export interface SopsFile {
  kind: "sops";
  format: SopsFormat;
  /** The key groups; without Shamir there is one. */
  groups: readonly (readonly SopsRecipient[])[];
  /** How many of the groups it takes to open the file. */
  needed: number;
  rule: LeafRule;
  hasMac: boolean;
  version?: string;
  lastModified?: string;
  /** The values beside the metadata; several where YAML has several documents. */
  documents: readonly unknown[];
  /** Why its values can't be read here; `documents` is empty then. */
  unread?: string;
}

/** What a file's text turns out to be. */
export type SopsText =
  | SopsFile
  /** Nothing in it is encrypted by sops. */
  | { kind: "plain"; documents: readonly unknown[] }
  /** It has encrypted values, but nothing says for whom: it was cut off. */
  | { kind: "headless" }
  /** It was encrypted by sops, and is no longer of its format. */
  | { kind: "broken"; why: string };

/**
 * Reads what a file tells. Never throws, whatever the text is.
 *
 * @param format Of the file's name, or what a manifest says.
 */
export function readSops(format: SopsFormat, text: string): SopsText {
  // Files without a known extension are JSON inside; prose that quotes an
  // encrypted value does not start like it.
  if (format === "binary" && !/^\ufeff?\s*\{/.test(text)) {
    return { kind: "plain", documents: [] };
  }
  const plainText = text.replace(/^\ufeff/, "");
  let documents: unknown[];
  try {
    documents = readDocuments(format, plainText);
  } catch (error) {
    const metadata = readMetadata(format, plainText);
    const why = whyOf(error);
    if (metadata && isMetadata(metadata)) {
      return { ...fileOf(format, metadata, []), unread: why };
    }
    return plainText.includes(encryptedMark)
      ? { kind: "broken", why }
      : { kind: "plain", documents: [] };
  }
  const metadata = documents.map((one) => isMap(one) ? one.sops : undefined)
    .find(isMap);
  const values = documents.map(withoutMetadata);
  if (metadata && isMetadata(metadata)) {
    return fileOf(format, metadata, values);
  }
  const hasEncrypted = values.some((document) =>
    leaves(document).some(({ value }) => isEncryptedValue(value))
  );
  return hasEncrypted
    ? { kind: "headless" }
    : { kind: "plain", documents: values };
}

/** All whom a file names, whatever their group. */
export function recipientsOf(
  file: Pick<SopsFile, "groups">,
): SopsRecipient[] {
  return file.groups.flat();
}

/** Nobody encrypts a file for as many. */
const mostRecipients = 10_000;

/** Characters; an SSH key of 16,384 bits has less than 3,000. */
const longestRecipient = 10_000;

// --- the metadata ---------------------------------------------------------

/** A key that happens to be called `sops` is not yet its metadata. */
function isMetadata(fields: Fields): boolean {
  return "mac" in fields || "lastmodified" in fields ||
    "key_groups" in fields || recipientKinds.some((kind) => kind in fields);
}

function withoutMetadata(document: unknown): unknown {
  if (!isMap(document) || !isMap(document.sops)) return document;
  const { sops: _, ...values } = document;
  return values;
}

function fileOf(
  format: SopsFormat,
  fields: Fields,
  documents: readonly unknown[],
): SopsFile {
  const listed = groupsIn(fields.key_groups);
  const top = groupOf(fields);
  const groups = listed.length > 0 ? listed : top.length > 0 ? [top] : [];
  const threshold = Number(textOf(fields.shamir_threshold) ?? 0) || 0;
  const version = textOf(fields.version);
  const lastModified = fields.lastmodified instanceof Date
    ? fields.lastmodified.toISOString()
    : textOf(fields.lastmodified);
  return {
    kind: "sops",
    format,
    groups,
    needed: threshold > 0 ? threshold : groups.length,
    rule: ruleOf(fields),
    hasMac: isEncryptedValue(fields.mac),
    ...(version === undefined ? {} : { version }),
    ...(lastModified === undefined ? {} : { lastModified }),
    documents,
  };
}

/** An alias may stand for a group many times. */
function groupsIn(value: unknown): SopsRecipient[][] {
  const groups: SopsRecipient[][] = [];
  let left = mostRecipients;
  for (const fields of listOf(value).slice(0, mostRecipients)) {
    const group = isMap(fields) && left > 0 ? groupOf(fields) : [];
    if (group.length > 0) groups.push(group);
    left -= group.length;
  }
  return groups;
}

function groupOf(fields: Fields): SopsRecipient[] {
  return recipientKinds.flatMap((kind) =>
    listOf(fields[kind]).slice(0, mostRecipients).filter(isMap)
      .map((key) => recipientOf(kind, key))
  ).filter(({ name }) => name !== "");
}

function recipientOf(kind: RecipientKind, key: Fields): SopsRecipient {
  const field = (name: string) =>
    textOf(key[name])?.slice(0, longestRecipient) ?? "";
  switch (kind) {
    case "age":
      return { kind, name: field("recipient").trim() };
    case "pgp":
      return { kind, name: field("fp").replaceAll(" ", "").toUpperCase() };
    case "hc_vault": {
      const vault = {
        address: field("vault_address"),
        enginePath: field("engine_path"),
        keyName: field("key_name"),
      };
      const name = vaultUrl(vault);
      return { kind, name, vault };
    }
    case "kms":
      return { kind, name: field("arn") };
    case "gcp_kms":
      return { kind, name: field("resource_id") };
    case "azure_kv":
      return { kind, name: `${field("vault_url")}/keys/${field("name")}` };
    case "hckms":
      return { kind, name: field("key_id") };
  }
}

/** A key of Vault as `.sops.yaml` writes it in `hc_vault_transit_uri`. */
export function vaultUrl({ address, enginePath, keyName }: VaultKey): string {
  return `${address.replace(/\/+$/, "")}/v1/${enginePath}/keys/${keyName}`;
}

/** The rule in a file's metadata, or in a creation rule of `.sops.yaml`. */
export function ruleOf(fields: Readonly<Record<string, unknown>>): LeafRule {
  const pick = (name: string) => textOf(fields[name]) || undefined;
  const rule = {
    unencryptedSuffix: pick("unencrypted_suffix"),
    encryptedSuffix: pick("encrypted_suffix"),
    unencryptedRegex: pick("unencrypted_regex"),
    encryptedRegex: pick("encrypted_regex"),
  };
  const set = Object.entries(rule).filter(([, value]) => value !== undefined);
  const byComment = pick("unencrypted_comment_regex") !== undefined ||
    pick("encrypted_comment_regex") !== undefined;
  // As in sops (`stores/stores.go`, "ToInternal").
  if (set.length === 0 && !byComment) {
    return { unencryptedSuffix: "_unencrypted", byComment };
  }
  return { ...Object.fromEntries(set), byComment };
}

const textOf = (value: unknown): string | undefined =>
  typeof value === "string" || typeof value === "number"
    ? String(value)
    : undefined;

// Empty lists may be null or absent.
const listOf = (value: unknown): unknown[] => Array.isArray(value) ? value : [];

function whyOf(error: unknown): string {
  // No text of the file: a value may be in it.
  if (error instanceof RangeError) return "it is nested too deeply";
  const where = /\b(?:line|at line) (\d+)/.exec((error as Error).message)?.[1];
  return where ? `its syntax is wrong in line ${where}` : "its syntax is wrong";
}
