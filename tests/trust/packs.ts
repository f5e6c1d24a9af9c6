/**
 * Packs that are far smaller than what is in them (gitformat-pack(5)): written
 * by hand, since Git would need the time and the space of their content.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { constants, deflateRawSync, deflateSync, gzipSync } from "node:zlib";

const types = { commit: 1, tree: 2, blob: 3, tag: 4 };

/** The types of objects that stand in a pack by themselves. */
export type ObjectType = keyof typeof types;

/** A text, then one letter many times. */
export interface Long {
  begins: string;
  letter: string;
  times: number;
}

/** How many letters are packed once, and then repeated. */
const piece = 2 ** 20;

const utf8 = new TextEncoder();

/** A pack under construction; each object is written as it is added. */
export class Pack {
  #parts: Uint8Array[] = [];
  #objects = 0;
  /** Where the next object begins: after the head. */
  #at = 12;

  /** Adds an object; gives its id. */
  add(type: ObjectType, content: string | Uint8Array): string {
    const bytes = Buffer.from(content as Uint8Array);
    this.#put(headOf(types[type], bytes.length), deflateSync(bytes));
    return idOf(type, bytes.length, [bytes]);
  }

  /** Adds a commit of one file with this content; gives its id. */
  commitOf(blob: string, names: readonly string[] = ["a"]): string {
    const tree = this.add(
      "tree",
      Buffer.concat(names.flatMap((name) => [
        utf8.encode(`100644 ${name}\0`),
        Buffer.from(blob, "hex"),
      ])),
    );
    return this.add("commit", commitText(tree));
  }

  /** Adds an object of any length; gives where it begins. */
  addLong(type: ObjectType, long: Long): number {
    const { begins, times } = long;
    const size = Buffer.byteLength(begins) + times;
    return this.#put(headOf(types[type], size), packLong(long));
  }

  /**
   * Adds an object that is another one many times over, at most 8 MiB of it
   * each time.
   *
   * @param base Where the other one begins.
   * @param size How long the other one is.
   * @returns where it begins.
   */
  addCopies(base: number, size: number, times: number): number {
    const once = Math.min(size, 2 ** 23);
    const copy = Buffer.from([0xf0, once, once >> 8, once >> 16]);
    const delta = Buffer.concat([
      numberOf(size),
      numberOf(once * times),
      ...Array(times).fill(copy),
    ]);
    const back = offsetOf(this.#at - base);
    return this.#put(headOf(6, delta.length), back, deflateSync(delta));
  }

  /** The whole pack. */
  bytes(): Uint8Array<ArrayBuffer> {
    const head = packHead(this.#objects);
    const sum = createHash("sha1").update(head);
    for (const part of this.#parts) sum.update(part);
    return Buffer.concat([head, ...this.#parts, sum.digest()]);
  }

  #put(...parts: Uint8Array[]): number {
    const begins = this.#at;
    for (const part of parts) this.#at += part.length;
    this.#parts.push(...parts);
    this.#objects++;
    return begins;
  }
}

/** What a commit of this tree says by default. */
export function commitText(tree: string, message = "A change\n"): string {
  const person = "A <a@x> 1767225600 +0000";
  return `tree ${tree}\nauthor ${person}\ncommitter ${person}\n\n${message}`;
}

/** The id of an object that is given in parts. */
export function idOf(
  type: ObjectType,
  size: number,
  parts: Iterable<Uint8Array>,
): string {
  const sum = createHash("sha1").update(`${type} ${size}\0`);
  for (const part of parts) sum.update(part);
  return sum.digest("hex");
}

/** The id of an object of any length: a second for two GiB. */
export function idOfLong(
  type: ObjectType,
  { begins, letter, times }: Long,
): string {
  const many = Buffer.alloc(piece, letter);
  return idOf(type, Buffer.byteLength(begins) + times, [
    utf8.encode(begins),
    ...Array(Math.floor(times / piece)).fill(many),
    many.subarray(0, times % piece),
  ]);
}

/** The head of a pack. */
export function packHead(objects: number): Uint8Array {
  const head = Buffer.from("PACK\0\0\0\x02\0\0\0\0", "latin1");
  head.writeUInt32BE(objects, 8);
  return head;
}

/** What is before an object: its type, and its size when unpacked. */
export function headOf(type: number, size: number): Uint8Array {
  const rest = numberOf(Math.floor(size / 16));
  const first = type << 4 | size & 15;
  return size < 16 ? Buffer.of(first) : Buffer.of(first | 128, ...rest);
}

/** A number in groups of seven bits, the lowest first. */
function numberOf(number: number): Uint8Array {
  const groups: number[] = [];
  let left = number;
  for (; left >= 128; left = Math.floor(left / 128)) {
    groups.push(left % 128 | 128);
  }
  return Buffer.of(...groups, left);
}

/** How far back the base of a delta is: the highest bits first. */
function offsetOf(back: number): Uint8Array {
  const groups = [back & 127];
  for (let left = back >> 7; left > 0; left >>= 7) {
    groups.unshift(--left & 127 | 128);
  }
  return Buffer.of(...groups);
}

/**
 * A deflated text that may be repeated: it refers to nothing before it, and
 * ends with a whole byte (RFC 1951).
 */
export function repeatable(text: Uint8Array): Uint8Array {
  return deflateRawSync(text, {
    level: 9,
    finishFlush: constants.Z_FULL_FLUSH,
  });
}

/** A zlib stream (RFC 1950) of a long text. */
function packLong({ begins, letter, times }: Long): Uint8Array {
  const first = utf8.encode(begins);
  const many = repeatable(Buffer.alloc(piece, letter));
  return Buffer.concat([
    Buffer.of(0x78, 0x9c),
    repeatable(first),
    ...Array(Math.floor(times / piece)).fill(many),
    deflateRawSync(Buffer.alloc(times % piece, letter)),
    checkSum(first, letter.charCodeAt(0), times),
  ]);
}

/** Adler-32 of some bytes and then one byte many times. */
function checkSum(first: Uint8Array, byte: number, times: number): Uint8Array {
  const modulus = 65521n;
  let [a, b] = [1n, 0n];
  for (const one of first) {
    a = (a + BigInt(one)) % modulus;
    b = (b + a) % modulus;
  }
  const [n, c] = [BigInt(times), BigInt(byte)];
  b = (b + n * a + c * n * (n + 1n) / 2n) % modulus;
  a = (a + n * c) % modulus;
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(Number(b << 16n | a));
  return sum;
}

/** The head of a gzip file (RFC 1952), and what may stand after it for ever. */
export function gzipEndless(
  first: Uint8Array,
  again: Uint8Array,
): ReadableStream<Uint8Array> {
  const many = repeatable(again);
  return new ReadableStream({
    start: (controller) => {
      controller.enqueue(gzipSync("").subarray(0, 10));
      controller.enqueue(repeatable(first));
    },
    pull: (controller) => controller.enqueue(many),
  });
}
