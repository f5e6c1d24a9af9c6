/**
 * The cache of files that opened on this host, so that 500 unchanged files cost
 * nothing.
 *
 * An entry is a hash of everything that the answer depends on: the file's
 * content and format, and the public keys of the identities. It contains no
 * secret. Other content or another identity gives another entry.
 *
 * @module
 */
import { digestOf } from "../base/digest.ts";
import { readIfThere, writeWhole } from "../host/files.ts";
import type { Keys } from "./sops/sops.ts";

/** A cached answer. */
export type Remembered = "opened" | "foreign";

const mostEntries = 20_000;
const letters: Readonly<Record<string, Remembered>> = {
  o: "opened",
  f: "foreign",
};

/** The entries of one state folder. */
export class SecretMemory {
  #entries: Map<string, Remembered>;
  #isChanged = false;
  readonly #path: string;

  /** Reads the cache; it is empty if its file can't be read. */
  constructor(folder: string) {
    this.#path = `${folder}/secrets-opened`;
    this.#entries = new Map(
      (readIfThere(this.#path) ?? "").split("\n")
        .filter((line) => /^[of] [0-9a-f]{64}$/.test(line))
        .map((line) => [line.slice(2), letters[line[0]!]!]),
    );
  }

  get(entry: string): Remembered | undefined {
    return this.#entries.get(entry);
  }

  add(entry: string, answer: Remembered): void {
    if (this.#entries.get(entry) === answer) return;
    this.#entries.set(entry, answer);
    this.#isChanged = true;
  }

  /** Writes new entries; drops the oldest ones. */
  async save(): Promise<void> {
    if (!this.#isChanged) return;
    const lines = [...this.#entries].slice(-mostEntries)
      .map(([entry, answer]) => `${answer[0]} ${entry}\n`);
    await writeWhole(this.#path, lines.join(""));
    this.#isChanged = false;
  }
}

/**
 * Returns the name of an entry: a hash of everything that its answer depends
 * on.
 */
export async function entryOf(...parts: readonly string[]): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(parts));
  return await digestOf("SHA-256", bytes);
}

/** Returns the identities that an answer depends on, by their public keys. */
export function fingerprintOf({ identities, vault }: Keys): string {
  return JSON.stringify([
    identities.map(({ kind, recipients, plugins }) => [
      kind,
      recipients,
      ...(plugins ? [plugins] : []),
    ]),
    vault?.address ?? null,
  ]);
}

/** Returns Git's hash of some content (git-hash-object(1)). */
export async function blobName(bytes: Uint8Array): Promise<string> {
  const head = new TextEncoder().encode(`blob ${bytes.length}\0`);
  const all = new Uint8Array(head.length + bytes.length);
  all.set(head);
  all.set(bytes, head.length);
  return await digestOf("SHA-1", all);
}
