/**
 * Reads the tokens and certificates that deliveries need. They stay in memory,
 * for the time of one delivery.
 *
 * @module
 */
import { readAtMost } from "../host/files.ts";

/** A token is a line; a file of certificates is not much longer. */
const most = 1024 * 1024;

/** A file that can't be used. The message never contains its content. */
export class BadFile extends Error {}

/**
 * Returns the first line of a file that contains a token.
 *
 * @throws {BadFile}
 */
export async function tokenIn(path: string, option: string): Promise<string> {
  const text = await textIn(path, option);
  const token = text.split("\n")[0]!.trim();
  // A header can't contain anything else, and an error would show it.
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new BadFile(
    `${path} (${option}) holds no token: expected one line without spaces`,
  );
}

/** Returns the key of a signature: the whole file without the last line end. */
export async function keyIn(
  path: string,
  option: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const text = (await textIn(path, option)).replace(/\r?\n$/, "");
  if (text !== "") return new TextEncoder().encode(text);
  throw new BadFile(`${path} (${option}) is empty: expected a key`);
}

/** Returns the certificates of a PEM file. */
export async function certificatesIn(
  path: string | undefined,
  option = "notify.caFile",
): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const text = await textIn(path, option);
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw new BadFile(`${path} (${option}) holds no certificate: expected PEM`);
}

async function textIn(path: string, option: string): Promise<string> {
  try {
    return new TextDecoder().decode(await readAtMost(path, most));
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound
      ? "file not found"
      : error instanceof RangeError
      ? error.message
      : error instanceof Deno.errors.PermissionDenied
      ? "permission denied"
      : (error as Error).message;
    throw new BadFile(`Cannot read ${path} (${option}): ${why}`);
  }
}
