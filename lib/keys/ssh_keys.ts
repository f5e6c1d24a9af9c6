/**
 * Reads files of SSH keys completely or not at all. ssh-keygen silently skips
 * lines that it can't read, and their author would not know why a key is
 * trusted or not.
 *
 * @module
 */
import { toBase64 } from "../base/base64.ts";
import type { Effects } from "../base/effects.ts";
import { lastWords, oneLine } from "../base/text.ts";
import { type KeyFile, keysError } from "./key_file.ts";

/** The names that a file gives a key. */
export interface Named {
  /** The key's fingerprint. */
  key: string;
  names: readonly string[];
}

type Programs = Pick<Effects, "run">;

/**
 * Writes a file of allowed signers (ssh-keygen(1), ALLOWED SIGNERS) to a new
 * path.
 *
 * @returns the principals of each line.
 * @throws {SyncError} `keys-empty`, `keys-broken`
 */
export async function writeSigners(
  effects: Programs,
  path: string,
  file: KeyFile,
): Promise<Named[]> {
  const what = "a principal with one SSH public key";
  const lines = await writeLines(path, file, what, (at) => at > 0);
  // ssh-keygen only reads the name in lines for other people. For the remaining
  // lines it reports those that it can't read.
  const check = `${path}.check`;
  const asked = lines.map((line) => isComment(line) ? "" : forX(line));
  await Deno.writeTextFile(check, `${asked.join("\n")}\n`, { createNew: true });
  const args = ["-Y", "match-principals", "-I", "x", "-f", check];
  await keygen(effects, check, file, args);
  return await Promise.all(lines.filter((line) => !isComment(line)).map(named));
}

async function named(line: string): Promise<Named> {
  const words = wordsOf(line);
  const [at = 0] = keysIn(words);
  const blob = Uint8Array.from(atob(words[at + 1]!), (c) => c.charCodeAt(0));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", blob));
  const sum = toBase64(digest);
  const names = words[0]!.replaceAll('"', "").split(",");
  return { key: `SHA256:${sum}`, names };
}

/** Returns the same line for somebody named x. */
function forX(line: string): string {
  const [name = ""] = wordsOf(line);
  return line.startsWith(name) ? `x${line.slice(name.length)}` : line;
}

/**
 * Writes a list of revoked keys to a new path: public keys, one per line, or
 * the binary list that ssh-keygen makes of them.
 *
 * @throws {SyncError} `keys-empty`, `keys-broken`
 */
export async function writeRevoked(
  effects: Programs,
  path: string,
  file: KeyFile,
): Promise<void> {
  if (isList(file)) return await writeList(effects, path, file);
  await writeLines(path, file, "one SSH public key", (at) => at === 0);
  const args = ["-q", "-k", "-f", `${path}.made`, path];
  const { code, details } = await keygen(effects, path, file, args);
  if (code === 0) return;
  throw keysError(
    "keys-broken",
    `${file.where} contains something other than SSH public keys`,
    details,
  );
}

/** OpenSSH's PROTOCOL.krl. */
function isList({ bytes }: KeyFile): boolean {
  return new TextDecoder().decode(bytes.subarray(0, 8)) === "SSHKRL\n\0";
}

async function writeList(
  effects: Programs,
  path: string,
  file: KeyFile,
): Promise<void> {
  await Deno.writeFile(path, file.bytes, { createNew: true });
  const args = ["-Q", "-l", "-f", path];
  const { code, said, details } = await keygen(effects, path, file, args);
  if (code !== 0) {
    const why = `${file.where} is not a complete list of revoked keys`;
    throw keysError("keys-broken", why, details);
  }
  if (/^[^#\s]/m.test(said)) return;
  throw keysError("keys-empty", `${file.where} contains no key`);
}

/** Writes lines with one key each; `isPlace` checks at which word. */
async function writeLines(
  path: string,
  { where, bytes }: KeyFile,
  what: string,
  isPlace: (at: number) => boolean,
): Promise<string[]> {
  const lines = new TextDecoder().decode(bytes).split("\n")
    .map((line) => line.trim());
  let keys = 0;
  for (const [i, line] of lines.entries()) {
    if (isComment(line)) continue;
    const [at = -1, ...more] = keysIn(wordsOf(line));
    // ssh-keygen reads a second key as the comment of the first.
    if (!isPlace(at) || more.length > 0) {
      throw keysError(
        "keys-broken",
        `line ${i + 1} of ${where} is not ${what}`,
      );
    }
    keys++;
  }
  if (keys === 0) throw keysError("keys-empty", `${where} contains no key`);
  const text = `${lines.join("\n")}\n`;
  await Deno.writeTextFile(path, text, { createNew: true });
  return lines;
}

function isComment(line: string): boolean {
  return line === "" || line.startsWith("#");
}

/** Options may contain spaces between quotes. */
function wordsOf(line: string): string[] {
  return line.match(/(?:[^\s"]|"[^"]*")+/g) ?? [];
}

const keyType = /^(sk-)?(ssh-|ecdsa-)[\w@.-]+$/;
const keyBlob = /^[A-Za-z0-9+/]{30,}=*$/;

/** Returns the positions of keys among some words. */
function keysIn(words: readonly string[]): number[] {
  return [...words.keys()].filter((i) =>
    keyType.test(words[i]!) && keyBlob.test(words[i + 1] ?? "")
  );
}

/** Runs ssh-keygen on a file, and throws for a line that it can't read. */
async function keygen(
  effects: Programs,
  path: string,
  { where }: KeyFile,
  args: readonly string[],
): Promise<{ code: number; said: string; details: string[] }> {
  const finished = await effects.run({
    program: "ssh-keygen",
    args,
    env: { LC_ALL: "C" },
    timeout: 60_000,
    most: 4 * 2 ** 20,
  });
  for (const line of finished.stderr.split("\n")) {
    if (!line.startsWith(`${path}:`)) continue;
    const [, number, why] = /^:(\d+): (.*)$/s.exec(line.slice(path.length)) ??
      [];
    if (number === undefined) continue;
    const says = `line ${number} of ${where} can't be read: ${oneLine(why!)}`;
    throw keysError("keys-broken", says);
  }
  return {
    code: finished.code,
    said: new TextDecoder().decode(finished.stdout),
    details: lastWords(finished),
  };
}
