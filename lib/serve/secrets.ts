/**
 * The secrets that sign webhooks.
 *
 * @module
 */
import { readText } from "./text_file.ts";
import { usageError } from "../base/errors.ts";

/** Shorter secrets can be guessed with many tries. */
const shortest = 16;

/** The limit of the file, in bytes. */
const longestFile = 64 * 1024;

/**
 * Reads the secrets of a file, one on each line.
 *
 * @throws {SyncError} `webhook-secret`, exit 2; it never contains the content
 * of the file.
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
