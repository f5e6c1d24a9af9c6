/**
 * Files of OpenPGP keys that are read whole or not at all. gpg passes over a
 * block that it does not know for one, and whoever wrote it would wonder why a
 * key does not count.
 *
 * @module
 */
import { type KeyFile, keysError } from "./key_file.ts";

const begin = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
const end = "-----END PGP PUBLIC KEY BLOCK-----";

/** RFC 4880, 6.2: `Comment`, `Version`, `Hash`, `Charset`. */
const header = /^[A-Z][A-Za-z-]*: /;
const base64 = /^[A-Za-z0-9+/=]*$/;

/** What looks like a piece of a block, and is not where gpg would read it. */
const piece = /PGP [A-Z ]*(KEY|BLOCK)|--(BEGIN|END)|[A-Za-z0-9+/=]{40}/;

/**
 * The blocks of a file, each with one key or more; the file itself where it is
 * not armored.
 *
 * @throws {SyncError} `keys-broken`, which names the line that gpg would pass
 * over or read as something else.
 */
export function keyBlocks({ where, bytes }: KeyFile): KeyFile[] {
  // The first byte of a packet has its first bit set (RFC 4880, 4.2).
  if (bytes[0]! & 0x80) return [{ where, bytes }];
  const lines = new TextDecoder().decode(bytes).split("\n")
    .map((line) => line.trimEnd());
  const blocks: string[][] = [];
  let block: string[] | undefined;
  for (const [i, line] of lines.entries()) {
    if (block) {
      block.push(line);
      if (line === end) block = undefined;
      else if (!isInside(line)) throw broken(where, i, "not part of a key");
    } else if (line === begin) {
      block = [line];
      blocks.push(block);
    } else if (/BEGIN PGP PRIVATE KEY/.test(line)) {
      throw keysError("keys-private", `${where} contains a private key`);
    } else if (piece.test(line)) {
      throw broken(where, i, `part of a key, but stands outside "${begin}"`);
    }
  }
  if (block) {
    throw broken(
      where,
      lines.length - 1,
      `the last line, and "${end}" is missing`,
    );
  }
  return blocks.map((block) => ({
    where,
    bytes: new TextEncoder().encode(`${block.join("\n")}\n`),
  }));
}

function isInside(line: string): boolean {
  return base64.test(line) || header.test(line);
}

function broken(where: string, at: number, is: string) {
  return keysError("keys-broken", `line ${at + 1} of ${where} is ${is}`);
}
