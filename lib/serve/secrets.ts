/**
 * The secrets that webhooks are signed with.
 *
 * @module
 */
import { readText } from "./text_file.ts";
import { usageError } from "../base/errors.ts";

/** Shorter ones can be guessed by who may try often. */
const shortest = 16;

/** A file of secrets is short: more is another file. */
const longestFile = 64 * 1024;

/**
 * Reads the secrets of a file, one in a line.
 *
 * @throws {SyncError} `webhook-secret`, exit 2; it never holds what is in the
 * file.
 */
export async function readSecrets(path: string): Promise<readonly string[]> {
  const text = await readText(path, longestFile, unusable);
  const secrets = text.split(/\r?\n/).map((line) => line.trim())
    .filter((line) => line !== "");
  if (secrets.length === 0) throw unusable(path, "it is empty");
  if (secrets.some((secret) => secret.length < shortest)) {
    throw unusable(
      path,
      `a secret in it is shorter than ${shortest} characters`,
    );
  }
  return secrets;
}

function unusable(path: string, why: string): Error {
  return usageError(
    "webhook-secret",
    `Cannot use ${path} for serve.webhookSecretFile: ${why}`,
    `create one, and enter it at the forge too: openssl rand -hex 32 > ${path}`,
  );
}
