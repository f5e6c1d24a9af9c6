/**
 * Passwords: one line for each person, with a PBKDF2 hash (RFC 8018).
 *
 *     NAME:$pbkdf2-sha256$i=600000$SALT$HASH
 *
 * After the name is a hash in the "PHC string format", with `i` rounds. Salt
 * and hash are base64 without `=`.
 *
 * @module
 */
import { readText } from "./text_file.ts";
import { fromBase64, toBase64 } from "../base/base64.ts";
import { usageError } from "../base/errors.ts";
import { isUserName } from "../config/serve_kinds.ts";

/**
 * The recommendation of OWASP for PBKDF2 with SHA-256 ("Password Storage Cheat
 * Sheet").
 */
const usualRounds = 600_000;

/** Fewer rounds make guessing too fast. More would block the server. */
const rounds = { least: 100_000, most: 5_000_000 };

/** Bytes of a new salt, and of each hash. */
const saltBytes = 16;
const hashBytes = 32;

/** The length of passwords. Shorter ones can be guessed. */
export const passwordLength = { least: 12, most: 256 };

/** The limit of the file, in bytes. */
const longestFile = 64 * 1024;

/** The password hash of a person. */
export interface Hashed {
  name: string;
  rounds: number;
  salt: Uint8Array<ArrayBuffer>;
  hash: Uint8Array<ArrayBuffer>;
}

/**
 * Hashes a password with a new salt.
 *
 * @returns the line for the file.
 */
export async function hashPassword(
  name: string,
  password: string,
): Promise<string> {
  const salt = crypto.getRandomValues(new Uint8Array(saltBytes));
  const hash = await derive(password, salt, usualRounds);
  const [saltText, hashText] = [salt, hash].map(toBase64);
  return `${name}:$pbkdf2-sha256$i=${usualRounds}$${saltText}$${hashText}`;
}

/** Reports whether a password matches a hash, in constant time. */
export async function isPassword(
  { salt, hash, rounds }: Hashed,
  password: string,
): Promise<boolean> {
  const own = await derive(password, salt, rounds);
  let differs = 0;
  for (const [at, byte] of hash.entries()) differs |= byte ^ own[at]!;
  return differs === 0;
}

/**
 * Used for unknown names, so that the time of an answer does not reveal names.
 */
export const nobody: Hashed = {
  name: "",
  rounds: usualRounds,
  salt: new Uint8Array(saltBytes),
  hash: crypto.getRandomValues(new Uint8Array(hashBytes)),
};

async function derive(
  password: string,
  salt: Uint8Array<ArrayBuffer>,
  iterations: number,
): Promise<Uint8Array<ArrayBuffer>> {
  // A letter may be typed in two ways (Unicode, annex 15).
  const bytes = new TextEncoder().encode(password.normalize("NFC"));
  const key = await crypto.subtle.importKey("raw", bytes, "PBKDF2", false, [
    "deriveBits",
  ]);
  const how = { name: "PBKDF2", hash: "SHA-256", salt, iterations };
  return new Uint8Array(
    await crypto.subtle.deriveBits(how, key, hashBytes * 8),
  );
}

/**
 * Reads the people of a file. Empty lines and lines that begin with `#` are
 * ignored.
 *
 * @throws {SyncError} `password-file`, exit 2; it never contains the content of
 * the file.
 */
export async function readPasswords(path: string): Promise<readonly Hashed[]> {
  const lines = (await readText(path, longestFile, unusable)).split(/\r?\n/)
    .map((line, at) => ({ line: line.trim(), number: at + 1 }))
    .filter(({ line }) => line !== "" && !line.startsWith("#"));
  if (lines.length === 0) throw unusable(path, "it names nobody");
  const people = lines.map(({ line, number }) => {
    const person = readLine(line);
    if (!person) {
      throw unusable(
        path,
        `line ${number} does not have the form NAME:$pbkdf2-sha256$i=ROUNDS$SALT$HASH`,
      );
    }
    return person;
  });
  if (new Set(people.map(({ name }) => name)).size < people.length) {
    throw unusable(path, "it has the same name twice");
  }
  return people;
}

function readLine(line: string): Hashed | undefined {
  const base64 = "[A-Za-z0-9+/]+";
  const form = new RegExp(
    `^([^:]+):\\$pbkdf2-sha256\\$i=(\\d{1,9})\\$(${base64})\\$(${base64})$`,
  );
  const [, name, count, saltText, hashText] = form.exec(line) ?? [];
  if (name === undefined || !isUserName(name)) return undefined;
  const [salt, hash] = [saltText!, hashText!].map(fromBase64);
  const isGood = Number(count) >= rounds.least &&
    Number(count) <= rounds.most && salt && hash &&
    salt.length >= 8 && hash.length === hashBytes;
  return isGood ? { name, rounds: Number(count), salt, hash } : undefined;
}

function unusable(path: string, why: string): Error {
  return usageError(
    "password-file",
    `Cannot use ${path} for serve.auth.passwordFile: ${why}`,
    `add a line to it: gitops-sync serve --hash-password NAME >> ${path}`,
  );
}
