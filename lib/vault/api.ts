/**
 * The requests to Vault and OpenBao: logins, tokens and decryption.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { ask, notVault, type VaultServer } from "./http.ts";

/** A token and how long it lasts. */
export interface Token {
  value: string;
  /** Milliseconds since it was created or renewed; 0: it does not expire. */
  lease: number;
  renewable: boolean;
  /** The names of its policies, if the server returns them. */
  policies: readonly string[];
}

/** Reasons of temporary failures. */
const temporaryReasons = ["vault-unreachable", "vault-sealed", "vault-busy"];

/** Whether a failure is temporary. */
export function isTemporary(error: unknown): boolean {
  return error instanceof SyncError && temporaryReasons.includes(error.reason);
}

/**
 * Retries work after temporary failures, with a growing and random pause.
 * Throws the last failure in the end.
 *
 * @param patience Milliseconds after which no further attempt begins.
 */
export async function withRetries<T>(
  effects: Pick<Effects, "sleep" | "monotonic">,
  patience: number,
  work: () => Promise<T>,
): Promise<T> {
  const end = effects.monotonic() + patience;
  for (let pause = 250;; pause = Math.min(2 * pause, 5_000)) {
    try {
      return await work();
    } catch (error) {
      // Between half and all of it, so that not all hosts come at once.
      const wait = pause * (0.5 + Math.random() / 2);
      if (!isTemporary(error) || effects.monotonic() + wait > end) throw error;
      await effects.sleep(wait);
    }
  }
}

/** Logs in by AppRole (Vault API, "auth/approle/login"). */
export async function logIn(
  server: VaultServer,
  mount: string,
  roleId: string,
  secretId: string,
): Promise<Token> {
  const answer = await ask(server, {
    what: "log in with AppRole",
    method: "POST",
    path: `auth/${mount}/login`,
    body: { role_id: roleId, secret_id: secretId },
  });
  return tokenOf(server, at(answer, "auth"));
}

/** Unwraps the secret id of a wrapping token, which works once. */
export async function unwrapSecretId(
  server: VaultServer,
  wrappingToken: string,
): Promise<string> {
  const answer = await ask(server, {
    what: "unwrap the secret id",
    method: "POST",
    path: "sys/wrapping/unwrap",
    token: wrappingToken,
  });
  const secretId = at(at(answer, "data"), "secret_id");
  if (typeof secretId === "string" && secretId !== "") return secretId;
  throw notVault(server, "unwrap the secret id");
}

/** Looks up a token with the token itself. */
export async function lookUp(
  server: VaultServer,
  value: string,
): Promise<Token> {
  const answer = at(
    await ask(server, {
      what: "look up the token",
      method: "GET",
      path: "auth/token/lookup-self",
      token: value,
    }),
    "data",
  );
  const seconds = at(answer, "ttl");
  if (typeof seconds !== "number") throw notVault(server, "look up the token");
  const renewable = at(answer, "renewable") === true;
  const policies = namesIn(at(answer, "policies"));
  return { value, lease: 1000 * seconds, renewable, policies };
}

/** Renews a token. */
export async function renew(
  server: VaultServer,
  { value }: Token,
): Promise<Token> {
  const answer = await ask(server, {
    what: "renew the token",
    method: "POST",
    path: "auth/token/renew-self",
    token: value,
  });
  return tokenOf(server, at(answer, "auth"));
}

/** Revokes a token. */
export async function revoke(
  server: VaultServer,
  value: string,
): Promise<void> {
  await ask(server, {
    what: "revoke the token",
    method: "POST",
    path: "auth/token/revoke-self",
    token: value,
  });
}

/**
 * Decrypts with the transit engine; returns the plaintext in base64, as
 * received.
 */
export async function transitDecrypt(
  server: VaultServer,
  token: string,
  engine: string,
  key: string,
  ciphertext: string,
): Promise<string> {
  const what = `decrypt with ${engine}/${key}`;
  const answer = await ask(server, {
    what,
    method: "POST",
    path: `${engine}/decrypt/${key}`,
    token,
    body: { ciphertext },
  });
  const plaintext = at(at(answer, "data"), "plaintext");
  if (typeof plaintext === "string") return plaintext;
  throw notVault(server, what);
}

function tokenOf(server: VaultServer, auth: unknown): Token {
  const value = at(auth, "client_token");
  const seconds = at(auth, "lease_duration");
  if (typeof value !== "string" || typeof seconds !== "number") {
    throw notVault(server, "log in");
  }
  const renewable = at(auth, "renewable") === true;
  const policies = namesIn(at(auth, "policies"));
  return { value, lease: 1000 * seconds, renewable, policies };
}

const namesIn = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];

function at(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null
    ? (value as Record<string, unknown>)[key]
    : undefined;
}
