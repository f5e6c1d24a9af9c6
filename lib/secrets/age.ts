/**
 * Files of age: whom they name, and whether they open.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import { oneLine } from "../base/text.ts";
import type { Identity } from "./identities.ts";

/** What came of an attempt to decrypt. */
export type Opened =
  | { ok: true }
  /** `foreign`: encrypted for others. */
  | { ok: false; foreign: boolean; why: string };

const patience = 60_000;

/** Whether a file's content is in age's format (age-encryption.org/v1). */
export function isAgeFile(content: string): boolean {
  return content.startsWith("age-encryption.org/v1\n") ||
    /^\s*-----BEGIN AGE ENCRYPTED FILE-----/.test(content);
}

/**
 * Whom an age file names: `ssh-ed25519 TAG` for SSH keys; X25519 recipients
 * are anonymous (age-encryption.org/v1, "recipient stanzas").
 *
 * @returns `undefined` where its header is not whole.
 */
export function ageStanzas(content: string): string[] | undefined {
  const text = isAgeFile(content) && !content.startsWith("age-")
    ? dearmored(content)
    : content;
  const end = text?.search(/^--- /m) ?? -1;
  if (text === undefined || end === -1) return undefined;
  return [...text.slice(0, end).matchAll(/^-> (\S+)(?: (\S+))?/gm)].map(
    ([, type, first]) => type!.startsWith("ssh-") ? `${type} ${first}` : type!,
  );
}

function dearmored(content: string): string | undefined {
  const body = /-----BEGIN AGE ENCRYPTED FILE-----([^-]*)-----END/.exec(content)
    ?.[1];
  try {
    return body === undefined ? undefined : atob(body.replace(/\s+/g, ""));
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
  const paths = identities
    .filter(({ kind }) => kind === "age" || kind === "ssh")
    .map(({ path }) => path);
  if (paths.length === 0) {
    return { ok: false, foreign: true, why: "there is no age identity" };
  }
  const finished = await effects.run({
    program: "age",
    args: ["--decrypt", ...paths.flatMap((path) => ["-i", path])],
    input: content,
    capture: false,
    timeout,
  });
  if (finished.code === 0) return { ok: true };
  if (finished.timedOut) {
    return { ok: false, foreign: false, why: "it took too long" };
  }
  const foreign =
    /no identity matched|incorrect passphrase|passphrase-encrypted|plugin: /
      .test(finished.stderr);
  const said = finished.stderr.split("\n")[0]!.replace(/^age: error: /, "");
  return { ok: false, foreign, why: oneLine(said) };
}
