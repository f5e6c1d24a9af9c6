/**
 * Finds secrets that would be added, removed or changed. It reads only names and
 * decrypts nothing.
 *
 * @module
 */
import { readAtMost } from "../host/files.ts";
import type { Installed } from "../secrets/installed.ts";
import type { Reader } from "../secrets/reading/reader.ts";
import type { SopsFormat } from "../secrets/sops/formats.ts";

/** Names of secrets, each in one list. */
export interface SecretChanges {
  added: readonly string[];
  removed: readonly string[];
  /** A different value, or the same value encrypted again; both look the same. */
  changed: readonly string[];
  /** The same values, encrypted again or for other keys. */
  rekeyed: readonly string[];
}

/** An installed secret of any tool. */
interface One {
  file: string;
  key: string;
  format: SopsFormat | "age";
}

/** Compares the installed secrets of two systems. */
export async function compareSecrets(
  reader: Reader,
  before: Installed,
  after: Installed,
  most: number,
): Promise<SecretChanges> {
  const olds = byName(before), news = byName(after);
  const lists = {
    added: [...news.keys()].filter((name) => !olds.has(name)).sort(),
    removed: [...olds.keys()].filter((name) => !news.has(name)).sort(),
    changed: [] as string[],
    rekeyed: [] as string[],
  };
  for (const [name, now] of [...news].sort(([a], [b]) => a < b ? -1 : 1)) {
    const old = olds.get(name);
    if (!old) continue;
    const kind = await changeOf(reader, old, now, most);
    if (kind) lists[kind].push(name);
  }
  return lists;
}

function byName({ sops, agenix }: Installed): Map<string, One> {
  return new Map([
    ...sops.flatMap(({ content }) => content.secrets)
      .map(({ name, ...one }): [string, One] => [name, one]),
    ...agenix.map(({ name, file }): [string, One] => [
      name,
      { file, key: "", format: "age" },
    ]),
  ]);
}

type Change = "changed" | "rekeyed";

async function changeOf(
  reader: Reader,
  old: One,
  now: One,
  most: number,
): Promise<Change | undefined> {
  // The store names files of one content and name by one path.
  if (old.file === now.file && old.key === now.key) return undefined;
  const [a, b] = await Promise.all(
    [old, now].map(({ file }) => readAtMost(file, most).catch(() => undefined)),
  );
  if (!a || !b) return "changed";
  const isOther = sealsOf(a) !== sealsOf(b) || sealsOf(a) === "";
  const isSameKey = old.key === now.key;
  if (isSameKey && isSameBytes(a, b)) return undefined;
  if (isSameKey && !isOther) return "rekeyed";
  if (old.format === "age" || now.format === "age") return "changed";
  const sealed = await Promise.all(
    ([[old, a], [now, b]] as const).map(([{ file, key, format }, bytes]) =>
      sealedAt(reader, file, key, format as SopsFormat, bytes)
    ),
  );
  // Other values of the same file changed.
  return sealed[0] !== undefined && sealed[0] === sealed[1]
    ? undefined
    : "changed";
}

async function sealedAt(
  reader: Reader,
  file: string,
  key: string,
  format: SopsFormat,
  bytes: Uint8Array,
): Promise<string | undefined> {
  const asked = { name: file, bytes, format, keys: [key] };
  const facts = await reader.facts({ ...asked, sealed: true });
  return facts.kind === "sops" ? facts.sealed?.[0] : undefined;
}

/**
 * Returns all encrypted values of a sops file, in order. They do not change if
 * only the recipients change: the values are encrypted with a data key, and the
 * data key is encrypted for each recipient. Empty for an age file.
 */
export function sealsOf(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes);
  return (text.match(/ENC\[AES256_GCM,[^\]\n]*\]/g) ?? []).join("\n");
}

function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
