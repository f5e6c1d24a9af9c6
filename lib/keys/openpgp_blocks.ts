/**
 * Reads files of OpenPGP keys completely or not at all. gpg silently skips
 * blocks that it does not recognise, and their author would not know why a key
 * is not trusted.
 *
 * @module
 */
import { type KeyFile, keysError } from "./key_file.ts";

const begin = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
const end = "-----END PGP PUBLIC KEY BLOCK-----";

/** RFC 4880, 6.2: `Comment`, `Version`, `Hash`, `Charset`. */
const header = /^[A-Z][A-Za-z-]*: /;
const base64 = /^[A-Za-z0-9+/=]*$/;

/** Text that looks like part of a block, but outside of what gpg reads. */
const piece = /PGP [A-Z ]*(KEY|BLOCK)|--(BEGIN|END)|[A-Za-z0-9+/=]{40}/;

/**
 * Returns the blocks of a file, each with one or more keys, or the file itself
 * if it is not armored.
 *
 * @throws {SyncError} `keys-broken`, which names the line that gpg would skip
 * or read in another way.
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
