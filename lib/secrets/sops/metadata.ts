/**
 * What a sops file shows without decryption: its recipients, which values are
 * encrypted, and which should be. Pure.
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

/** The kinds of keys that sops supports for a file's data key. */
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

/** A recipient of a file. */
export interface SopsRecipient {
  kind: RecipientKind;
  /** `age1…`, `ssh-ed25519 …`, a fingerprint, a URL of Vault, an ARN …. */
  name: string;
  /** Only if `kind` is `hc_vault`. */
  vault?: VaultKey;
}

/** What is known about a file that sops encrypted. */
export interface SopsFile {
  kind: "sops";
  format: SopsFormat;
  /** The key groups; without Shamir there is one. */
  groups: readonly (readonly SopsRecipient[])[];
  /** How many groups are needed to open the file. */
  needed: number;
  rule: LeafRule;
  hasMac: boolean;
  version?: string;
  lastModified?: string;
  /** The values besides the metadata; one for each YAML document. */
  documents: readonly unknown[];
  /** Why this program can't read its values; `documents` is then empty. */
  unread?: string;
}

/** The kinds of texts. */
export type SopsText =
  | SopsFile
  /** Nothing in it is encrypted by sops. */
  | { kind: "plain"; documents: readonly unknown[] }
  /** It has encrypted values, but no recipients: it is truncated. */
  | { kind: "headless" }
  /** It was encrypted by sops, but is no longer valid in its format. */
  | { kind: "broken"; why: string };

/**
 * Reads what a file shows. Never throws, whatever the text is.
 *
 * @param format The format from the file's name or a manifest.
 */
export function readSops(format: SopsFormat, text: string): SopsText {
  // Encrypted files without a known extension contain JSON; prose that quotes
  // an encrypted value does not start with a brace.
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

/** Returns all recipients of a file, in all groups. */
export function recipientsOf(
  file: Pick<SopsFile, "groups">,
): SopsRecipient[] {
  return file.groups.flat();
}

/** The most recipients of a file; real files have fewer. */
const mostRecipients = 10_000;

/** Characters; an SSH key of 16,384 bits has less than 3,000. */
const longestRecipient = 10_000;

// --- the metadata ---------------------------------------------------------

/** Whether a key named `sops` contains metadata of sops. */
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

/** Reads the key groups; an alias may repeat a group many times. */
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

/**
 * Returns the URL of a Vault key, as in `hc_vault_transit_uri` of `.sops.yaml`.
 */
export function vaultUrl({ address, enginePath, keyName }: VaultKey): string {
  return `${address.replace(/\/+$/, "")}/v1/${enginePath}/keys/${keyName}`;
}

/**
 * Reads the rule in a file's metadata, or in a creation rule of `.sops.yaml`.
 */
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
  // Never text of the file: it may contain a value.
  if (error instanceof RangeError) return "it is nested too deeply";
  const where = /\b(?:line|at line) (\d+)/.exec((error as Error).message)?.[1];
  return where ? `its syntax is wrong in line ${where}` : "its syntax is wrong";
}
