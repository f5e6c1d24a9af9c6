/**
 * age files: their recipients, and whether they open.
 *
 * @module
 */
import type { Effects, Finished } from "../base/effects.ts";
import { oneLine } from "../base/text.ts";
import type { Identity } from "./identities.ts";

/** The result of an attempt to decrypt. */
export type Opened =
  | { ok: true }
  | { ok: false; kind: AgeFailure; why: string };

/**
 * Why a file does not open: `foreign`, encrypted for others; `plugin`, a plugin
 * failed; `locked`, a key needs a passphrase; `damaged`, the file is
 * incomplete; `failed`, anything else, such as a key file that age can't read.
 */
export type AgeFailure =
  | "foreign"
  | "plugin"
  | "locked"
  | "damaged"
  | "timed-out"
  | "failed";

/** The messages of age 1.1 and 1.3. Any other text counts as `failed`. */
const meanings: readonly [AgeFailure, RegExp][] = [
  ["foreign", /^no identity matched/],
  [
    "damaged",
    /^(?:failed to read header|bad header MAC|invalid armor|failed to decrypt (?:and authenticate|file key: chacha20))/,
  ],
  ["plugin", /\bplugin\b/],
  ["locked", /incorrect passphrase|passphrase-encrypted|obtain passphrase/],
];

/** The prefix of messages of age and rage. */
const errorSign = /^(?:age: error|Error): /;

const patience = 60_000;

/** Whether a file's content is in age's format (age-encryption.org/v1). */
export function isAgeFile(content: string): boolean {
  return content.startsWith("age-encryption.org/v1\n") ||
    /^\s*-----BEGIN AGE ENCRYPTED FILE-----/.test(content);
}

/** Bytes of a header that are read; it may be as long as the file. */
const mostHeader = 1024 * 1024;

/**
 * Returns the recipients of an age file: `ssh-ed25519 TAG` for SSH keys; X25519
 * recipients are anonymous (age-encryption.org/v1, "recipient stanzas"). Only
 * reads the first MiB of a header.
 *
 * @returns `undefined` if its header is incomplete.
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

/**
 * @param content The beginning of a file; a complete file must have its end.
 */
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
 * Returns how an age file names an SSH key: `ssh-ed25519 TAG`.
 *
 * @returns `undefined` if it is not an SSH key.
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
 * Tries to decrypt an age file; discards the plaintext unread.
 *
 * @param content The encrypted bytes.
 * @param timeout The timeout in milliseconds.
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

/** Returns the arguments of age for all identities that it can use. */
export function decrypting(identities: readonly Identity[]): string[] {
  const paths = identities
    .filter(({ kind }) => kind === "age" || kind === "ssh")
    .map(({ path }) => path);
  return ["--decrypt", ...paths.flatMap((path) => ["-i", path])];
}

/** Returns the result of a finished age. */
export function openedBy(
  finished: Pick<Finished, "code" | "timedOut" | "stderr">,
): Opened {
  if (finished.code === 0) return { ok: true };
  if (finished.timedOut) {
    return { ok: false, kind: "timed-out", why: "it took too long" };
  }
  // A plugin may have written lines before.
  const lines = finished.stderr.split("\n");
  const said = (lines.find((line) => errorSign.test(line)) ?? lines[0]!)
    .replace(errorSign, "");
  // A message about a key file says nothing about the encrypted file.
  const isOfKey = said.startsWith("reading ");
  const kind = isOfKey
    ? "failed"
    : meanings.find(([, sign]) => sign.test(said))?.[0] ?? "failed";
  return { ok: false, kind, why: oneLine(said) };
}
