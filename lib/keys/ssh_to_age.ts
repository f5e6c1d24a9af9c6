/**
 * SSH ed25519 keys as age identities, the way sops-nix uses the host's keys.
 *
 * The conversion is that of ed25519 to X25519 secrets (RFC 8032, 5.1.5: the
 * first half of the seed's SHA-512), written in Bech32 (BIP 173) as age does.
 *
 * @module
 */

/**
 * Returns the age identity (`AGE-SECRET-KEY-1…`) of an OpenSSH private key.
 * Secret!
 *
 * @returns `undefined` for keys of another kind, and those with a passphrase.
 */
export async function sshToAge(pem: string): Promise<string | undefined> {
  const seed = seedOf(pem);
  if (!seed) return undefined;
  const hash = await crypto.subtle.digest("SHA-512", seed);
  return bech32("age-secret-key-", new Uint8Array(hash, 0, 32)).toUpperCase();
}

/**
 * Returns the public half of an ed25519 key in PKCS#8 (RFC 8410), as an SSH
 * public key. age accepts such keys, older versions of ssh-keygen do not, and
 * sops-nix does not convert them.
 *
 * @returns `undefined` for keys of another kind or form.
 */
export async function sshPublicKey(pem: string): Promise<string | undefined> {
  const body = /-----BEGIN PRIVATE KEY-----([^-]*)-----END PRIVATE KEY-----/
    .exec(pem)
    ?.[1];
  if (body === undefined) return undefined;
  try {
    const key = await crypto.subtle.importKey(
      "pkcs8",
      bytesOf(body),
      "Ed25519",
      true,
      ["sign"],
    );
    const { x } = await crypto.subtle.exportKey("jwk", key);
    const point = bytesOf(x!.replace(/-/g, "+").replace(/_/g, "/"));
    const type = new TextEncoder().encode("ssh-ed25519");
    const wire = [0, 0, 0, type.length, ...type, 0, 0, 0, 32, ...point];
    return `ssh-ed25519 ${btoa(String.fromCharCode(...wire))}`;
  } catch {
    return undefined;
  }
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(
    atob(base64.replace(/\s+/g, "")),
    (letter) => letter.charCodeAt(0),
  );
}

/** The seed in a private key file (OpenSSH, `PROTOCOL.key`). */
function seedOf(pem: string): Uint8Array<ArrayBuffer> | undefined {
  const body =
    /-----BEGIN OPENSSH PRIVATE KEY-----([^-]*)-----END OPENSSH PRIVATE KEY-----/
      .exec(pem)?.[1];
  if (body === undefined) return undefined;
  try {
    const outer = new Fields(bytesOf(body), "openssh-key-v1\0".length);
    if (outer.text() !== "none") return undefined;
    outer.text(); // the key derivation, none
    outer.bytes(); // its options
    if (outer.number() !== 1) return undefined;
    outer.bytes(); // the public key
    const inner = new Fields(outer.bytes(), 8);
    if (inner.text() !== "ssh-ed25519") return undefined;
    inner.bytes(); // the public key again
    return inner.bytes().slice(0, 32);
  } catch {
    return undefined;
  }
}

/** The length-prefixed fields of SSH (RFC 4251, 5). */
class Fields {
  constructor(readonly all: Uint8Array<ArrayBuffer>, private at: number) {}

  number(): number {
    const { buffer, byteOffset } = this.all;
    const value = new DataView(buffer, byteOffset).getUint32(this.at);
    this.at += 4;
    return value;
  }

  bytes(): Uint8Array<ArrayBuffer> {
    const length = this.number();
    const end = this.at + length;
    if (end > this.all.length) throw new RangeError("cut off");
    const field = this.all.slice(this.at, end);
    this.at = end;
    return field;
  }

  text(): string {
    return new TextDecoder().decode(this.bytes());
  }
}

const letters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

function bech32(prefix: string, bytes: Uint8Array): string {
  const codes = [...prefix].map((letter) => letter.charCodeAt(0));
  const expanded = [
    ...codes.map((code) => code >> 5),
    0,
    ...codes.map((code) => code & 31),
  ];
  const data = inFives(bytes);
  const sum = checksum([...expanded, ...data, 0, 0, 0, 0, 0, 0]) ^ 1;
  const check = [25, 20, 15, 10, 5, 0].map((shift) => (sum >> shift) & 31);
  return `${prefix}1${[...data, ...check].map((n) => letters[n]).join("")}`;
}

/** Bytes as numbers of five bits. */
function inFives(bytes: Uint8Array): number[] {
  const fives: number[] = [];
  let rest = 0, bits = 0;
  for (const byte of bytes) {
    rest = (rest << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      fives.push((rest >> bits) & 31);
    }
    rest &= (1 << bits) - 1;
  }
  if (bits > 0) fives.push((rest << (5 - bits)) & 31);
  return fives;
}

function checksum(values: readonly number[]): number {
  const generator = [
    0x3b6a57b2,
    0x26508e6d,
    0x1ea119fa,
    0x3d4233dd,
    0x2a1462b3,
  ];
  let sum = 1;
  for (const value of values) {
    const top = sum >> 25;
    sum = ((sum & 0x1ffffff) << 5) ^ value;
    generator.forEach((term, i) => {
      if ((top >> i) & 1) sum ^= term;
    });
  }
  return sum;
}
