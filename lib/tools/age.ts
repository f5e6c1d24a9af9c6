/**
 * age and SSH identities: whose they are, and whether they open a file.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { oneLine } from "../base/text.ts";

/** A private key file of this host with the recipients it can decrypt for. */
export interface Identity {
  path: string;
  kind: "age" | "ssh";
  /** `age1…` or `ssh-ed25519 AAAA…`; public. */
  recipients: readonly string[];
}

/** What came of an attempt to decrypt. */
export type Opened =
  | { ok: true }
  /** `foreign`: encrypted for others. */
  | { ok: false; foreign: boolean; why: string };

const patience = 60_000;

/**
 * Reads who an identity file speaks for.
 *
 * @throws {SyncError} `identity-unreadable`, exit 5.
 */
export async function readIdentity(
  effects: Effects,
  path: string,
): Promise<Identity> {
  const text = await Deno.readTextFile(path).catch((error) => {
    throw unusable(path, (error as Error).message);
  });
  const kind = text.includes("AGE-SECRET-KEY-") ? "age" : "ssh";
  if (kind === "ssh" && !text.includes("PRIVATE KEY-----")) {
    throw unusable(path, "it holds neither an age nor an SSH private key");
  }
  const finished = await effects.run({
    ...(kind === "age"
      ? { program: "age-keygen", args: ["-y", path] }
      : { program: "ssh-keygen", args: ["-y", "-P", "", "-f", path] }),
    timeout: patience,
  });
  if (finished.code !== 0) throw unusable(path, oneLine(finished.stderr));
  const recipients = new TextDecoder().decode(finished.stdout).trim()
    .split("\n").map((line) =>
      // The comment of an SSH key is no part of it.
      kind === "age" ? line.trim() : line.split(" ").slice(0, 2).join(" ")
    );
  return { path, kind, recipients };
}

/** Whether a file's content is in age's format (age-encryption.org/v1). */
export function isAgeFile(content: string): boolean {
  return content.startsWith("age-encryption.org/v1\n") ||
    /^\s*-----BEGIN AGE ENCRYPTED FILE-----/.test(content);
}

/**
 * Tries to decrypt an age file; the plaintext is thrown away unread.
 *
 * @param content The encrypted bytes.
 */
export async function openAge(
  effects: Effects,
  content: Uint8Array,
  identities: readonly Identity[],
): Promise<Opened> {
  const finished = await effects.run({
    program: "age",
    args: ["--decrypt", ...identities.flatMap(({ path }) => ["-i", path])],
    input: content,
    capture: false,
    timeout: patience,
  });
  if (finished.code === 0) return { ok: true };
  const foreign =
    /no identity matched|incorrect passphrase|passphrase-encrypted/
      .test(finished.stderr);
  const said = finished.stderr.split("\n")[0]!.replace(/^age: error: /, "");
  return { ok: false, foreign, why: oneLine(said) };
}

function unusable(path: string, why: string): SyncError {
  return new SyncError(`Cannot use the identity ${path}: ${why}`, {
    stage: "secrets",
    reason: "identity-unreadable",
    next: "hold",
    hints: [
      `make one with: age-keygen -o ${path} (then re-key the files for its public key)`,
      "or name the right file with secrets.identities",
    ],
  });
}
