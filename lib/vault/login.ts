/**
 * The credentials for a login to Vault, and the errors if it is refused.
 *
 * @module
 */
import { SyncError } from "../base/errors.ts";
import { vaultError, type VaultServer } from "./http.ts";

/** Reads a file that contains one word; no message ever shows it. */
export async function readWord(path: string, option: string): Promise<string> {
  const text = await Deno.readTextFile(path).catch((error) => {
    throw unusable(path, option, (error as Error).message);
  });
  const word = text.trim();
  if (/^[!-~]{1,4096}$/.test(word)) return word;
  throw unusable(path, option, "expected exactly one word in it");
}

function unusable(path: string, option: string, why: string): SyncError {
  return vaultError(
    `Cannot use ${path} to log in to Vault: ${why}`,
    "vault-credentials",
    `check ${option}, and let the user of vault-agent read the file`,
  );
}

/**
 * Whether the credentials were refused: AppRole answers with 400, other logins
 * with 403.
 */
export function denied(error: unknown): boolean {
  return error instanceof SyncError &&
    ["vault-wrong", "vault-denied"].includes(error.reason);
}

/** Whether the login failed because of its credentials. */
export function isRefusal(error: unknown): boolean {
  return error instanceof SyncError &&
    ["vault-login", "vault-wrap-used"].includes(error.reason);
}

/** Returns the error for a token that is no longer valid. */
export function tokenExpired(
  { address }: VaultServer,
  path: string,
): SyncError {
  return vaultError(
    `Cannot log in: Vault at ${address} refuses the token in ${path}: it has expired or was revoked`,
    "vault-login",
    `write a new token to ${path}`,
  );
}

/** Returns the error for a role id or secret id that is not valid. */
export function roleRefused(
  { address }: VaultServer,
  mount: string,
): SyncError {
  return vaultError(
    `Cannot log in: Vault at ${address} refuses the role id or the secret id for auth/${mount}`,
    "vault-login",
    "write a new secret id to the file of vault.appRole.secretIdFile, and check that the role exists",
  );
}

/** Returns the error for a wrapping token that was used before. */
export function wrapUsed({ address }: VaultServer): SyncError {
  return vaultError(
    `Cannot log in: Vault at ${address} does not unwrap the secret id: it has expired, or it was unwrapped before`,
    "vault-wrap-used",
    "write a newly wrapped secret id to the file: each start of vault-agent needs one",
    "if nobody started vault-agent in between, somebody else has the secret id now: destroy it",
  );
}
