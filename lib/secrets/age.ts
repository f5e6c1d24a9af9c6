/**
 * Files of age: whom they name, and whether they open.
 *
 * @module
 */
import type { Effects, Finished } from "../base/effects.ts";
import { oneLine } from "../base/text.ts";
import type { Identity } from "./identities.ts";

/** What came of an attempt to decrypt. */
export type Opened =
  | { ok: true }
  | { ok: false; kind: AgeTrouble; why: string };

/**
 * Why a file does not open: `foreign`, encrypted for others; `plugin`, a plugin
 * failed; `locked`, a key takes a passphrase; `damaged`, the file is not whole;
 * `failed`, anything else, as a key file that age can't read.
 */
export type AgeTrouble =
  | "foreign"
  | "plugin"
  | "locked"
  | "damaged"
  | "timed-out"
  | "failed";

/** What age 1.1 and 1.3 say. No other text is taken for certain. */
const meanings: readonly [AgeTrouble, RegExp][] = [
  ["foreign", /^no identity matched/],
  [
    "damaged",
    /^(?:failed to read header|bad header MAC|invalid armor|failed to decrypt (?:and authenticate|file key: chacha20))/,
  ],
  ["plugin", /\bplugin\b/],
  ["locked", /incorrect passphrase|passphrase-encrypted|obtain passphrase/],
];

/** Before what age says; rage begins so. */
const errorSign = /^(?:age: error|Error): /;

const patience = 60_000;

/** Whether a file's content is in age's format (age-encryption.org/v1). */
export function isAgeFile(content: string): boolean {
  return content.startsWith("age-encryption.org/v1\n") ||
    /^\s*-----BEGIN AGE ENCRYPTED FILE-----/.test(content);
}

/** Bytes of a header that are looked at; it may be as long as the file. */
const mostHeader = 1024 * 1024;

/**
 * Whom an age file names: `ssh-ed25519 TAG` for SSH keys; X25519 recipients
 * are anonymous (age-encryption.org/v1, "recipient stanzas"). Only the first
 * MiB of a header counts.
 *
 * @returns `undefined` where its header is not whole.
 */
export function ageStanzas(content: string): string[] | undefined {
  const start = content.slice(0, mostHeader);
  const text = isAgeFile(start) && !start.startsWith("age-")
    ? dearmored(start)
    : start;
  const found = text?.search(/^--- /m) ?? -1;
  const isLonger = content.length > mostHeader;
  const end = found === -1 && isLonger ? text?.length ?? -1 : found;
  if (text === undefined || end === -1) return undefined;
  return [...text.slice(0, end).matchAll(/^-> (\S+)(?: (\S+))?/gm)].map(
    ([, type, first]) => type!.startsWith("ssh-") ? `${type} ${first}` : type!,
  );
}

/** @param content Its beginning; where that is the whole file, it must end. */
function dearmored(content: string): string | undefined {
  const end = content.length < mostHeader ? "-----END" : "(?:-----END|$)";
  const body = new RegExp(
    `-----BEGIN AGE ENCRYPTED FILE-----([^-]*)${end}`,
  ).exec(content)?.[1]?.replace(/\s+/g, "");
  try {
    return body === undefined
      ? undefined
      : atob(body.slice(0, body.length - body.length % 4));
  } catch {
    return undefined;
  }
}

const isBase64 = (text: string) =>
  text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text);

/**
 * How an age file names an SSH key: `ssh-ed25519 TAG`.
 *
 * @returns `undefined` for what is no SSH key.
 */
export async function sshTag(recipient: string): Promise<string | undefined> {
  const [type, wire] = recipient.split(" ");
  // Rules are written by hand.
  if (wire === undefined || !isBase64(wire)) return undefined;
  const bytes = Uint8Array.from(atob(wire), (letter) => letter.charCodeAt(0));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const tag = btoa(String.fromCharCode(...hash.subarray(0, 4)));
  return `${type} ${tag.replace(/=+$/, "")}`;
}

/**
 * Tries to decrypt an age file; the plaintext is thrown away unread.
 *
 * @param content The encrypted bytes.
 * @param timeout Milliseconds that it may take.
 */
export async function openAge(
  effects: Effects,
  content: Uint8Array,
  identities: readonly Identity[],
  timeout = patience,
): Promise<Opened> {
  const args = decrypting(identities);
  if (args.length === 1) {
    return { ok: false, kind: "foreign", why: "this host has no age identity" };
  }
  const finished = await effects.run({
    program: "age",
    args,
    input: content,
    capture: false,
    timeout,
  });
  return openedBy(finished);
}

/** The arguments of age for all identities that are of use to it. */
export function decrypting(identities: readonly Identity[]): string[] {
  const paths = identities
    .filter(({ kind }) => kind === "age" || kind === "ssh")
    .map(({ path }) => path);
  return ["--decrypt", ...paths.flatMap((path) => ["-i", path])];
}

/** What age says by its end. */
export function openedBy(
  finished: Pick<Finished, "code" | "timedOut" | "stderr">,
): Opened {
  if (finished.code === 0) return { ok: true };
  if (finished.timedOut) {
    return { ok: false, kind: "timed-out", why: "it took too long" };
  }
  // A plugin may have written lines of its own before.
  const lines = finished.stderr.split("\n");
  const said = (lines.find((line) => errorSign.test(line)) ?? lines[0]!)
    .replace(errorSign, "");
  // What age says of a key file, it says of no encrypted file.
  const isOfKey = said.startsWith("reading ");
  const kind = isOfKey
    ? "failed"
    : meanings.find(([, sign]) => sign.test(said))?.[0] ?? "failed";
  return { ok: false, kind, why: oneLine(said) };
}
