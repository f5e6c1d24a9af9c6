/**
 * What opened on this host before, so that 500 unchanged files cost nothing.
 *
 * An entry is a hash of what the answer rests on: the file's content and
 * format, and the public keys of the identities. No secret is in it, and
 * another content or another identity is another entry.
 *
 * @module
 */
import { digestOf } from "../base/digest.ts";
import { readIfThere, writeWhole } from "../host/files.ts";
import type { Keys } from "./sops/sops.ts";

/** An answer that is remembered. */
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

  /** Reads what is remembered; a file that can't be read is an empty one. */
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

  /** Writes what is new; the oldest entries are forgotten. */
  async save(): Promise<void> {
    if (!this.#isChanged) return;
    const lines = [...this.#entries].slice(-mostEntries)
      .map(([entry, answer]) => `${answer[0]} ${entry}\n`);
    await writeWhole(this.#path, lines.join(""));
    this.#isChanged = false;
  }
}

/** The name of an entry: a hash of all that its answer rests on. */
export async function entryOf(...parts: readonly string[]): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(parts));
  return await digestOf("SHA-256", bytes);
}

/** Whose keys an answer rests on, by their public halves. */
export function fingerprintOf({ identities, vault }: Keys): string {
  return JSON.stringify([
    identities.map(({ kind, recipients }) => [kind, recipients]),
    vault?.address ?? null,
  ]);
}

/** The name that Git has for a content (git-hash-object(1)). */
export async function blobName(bytes: Uint8Array): Promise<string> {
  const head = new TextEncoder().encode(`blob ${bytes.length}\0`);
  const all = new Uint8Array(head.length + bytes.length);
  all.set(head);
  all.set(bytes, head.length);
  return await digestOf("SHA-1", all);
}
