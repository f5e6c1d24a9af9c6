/**
 * Vault and OpenBao over HTTP: the one configured address, and nothing that
 * the server says beside the fields that are needed. Bodies of errors are
 * thrown away unread, because one of them echoes what was sent.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { oneLine } from "../base/text.ts";

/** Where the server is and how it is spoken to. */
export interface VaultServer {
  /** `https://vault.example.com`, without a slash at its end. */
  address: string;
  namespace: string | undefined;
  /** Knows the configured CA. */
  client: Deno.HttpClient;
}

/** A token and how long it lasts. */
export interface Token {
  value: string;
  /** Milliseconds from when it was given or renewed; 0: for ever. */
  lease: number;
  renewable: boolean;
}

/** What is asked of the server. */
interface Question {
  /** Completes "Cannot …" in messages. */
  what: string;
  method: "GET" | "POST";
  /** Below `/v1/`. */
  path: string;
  token?: string;
  body?: Readonly<Record<string, string>>;
}

/** Reasons of failures that may pass by themselves. */
const passing = ["vault-unreachable", "vault-sealed", "vault-busy"];

const longestCall = 10_000;
const longestAnswer = 1024 * 1024;

/**
 * The server of a configuration.
 *
 * @param ca The certificates (PEM) that it is trusted by; none: the usual ones.
 */
export function vaultServer(
  address: string,
  namespace: string | undefined,
  ca: string | undefined,
): VaultServer {
  return {
    address: address.replace(/\/+$/, ""),
    namespace,
    client: Deno.createHttpClient(ca === undefined ? {} : { caCerts: [ca] }),
  };
}

/** Whether a failure may pass by itself. */
export function mayPass(error: unknown): boolean {
  return error instanceof SyncError && passing.includes(error.reason);
}

/**
 * Does work again, with a growing and random pause, while it fails for what
 * may pass, and gives up with the last failure.
 *
 * @param patience Milliseconds after which no further attempt begins.
 */
export async function withRetries<T>(
  effects: Pick<Effects, "sleep" | "now">,
  patience: number,
  work: () => Promise<T>,
): Promise<T> {
  const end = effects.now().getTime() + patience;
  for (let pause = 250;; pause = Math.min(2 * pause, 5_000)) {
    try {
      return await work();
    } catch (error) {
      // Between half and all of it, so that hosts do not come all at once.
      const wait = pause * (0.5 + Math.random() / 2);
      if (!mayPass(error) || effects.now().getTime() + wait > end) throw error;
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
    what: "log in by AppRole",
    method: "POST",
    path: `auth/${mount}/login`,
    body: { role_id: roleId, secret_id: secretId },
  });
  return tokenOf(server, at(answer, "auth"));
}

/** Takes the secret out of a wrapping token, which works once. */
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
  throw odd(server, "unwrap the secret id");
}

/** What a token is, asked with the token itself. */
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
  if (typeof seconds !== "number") throw odd(server, "look up the token");
  const renewable = at(answer, "renewable") === true;
  return { value, lease: 1000 * seconds, renewable };
}

/** Makes a token last longer. */
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

/** Ends a token. */
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

/** Decrypts by the transit engine; gives the plaintext in base64, as it came. */
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
  throw odd(server, what);
}

/** One question and its answer; every other status is an error. */
async function ask(server: VaultServer, question: Question): Promise<unknown> {
  const response = await send(server, question);
  if (response.status === 204) return undefined;
  if (response.status !== 200) {
    await response.body?.cancel();
    throw await failure(server, question, response.status);
  }
  try {
    return JSON.parse(await boundedText(response.body));
  } catch {
    throw odd(server, question.what);
  }
}

async function send(
  server: VaultServer,
  { what, method, path, token, body }: Question,
): Promise<Response> {
  const headers = new Headers({ "X-Vault-Request": "true" });
  if (token !== undefined) headers.set("X-Vault-Token", token);
  if (server.namespace) headers.set("X-Vault-Namespace", server.namespace);
  try {
    return await fetch(`${server.address}/v1/${path}`, {
      method,
      headers,
      // A redirect would take the token to another address.
      redirect: "manual",
      signal: AbortSignal.timeout(longestCall),
      client: server.client,
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
  } catch (error) {
    throw unreached(server, what, error);
  }
}

function unreached(
  { address }: VaultServer,
  what: string,
  error: unknown,
): SyncError {
  const why = whyUnreached(error);
  // Which the next try would not trust either.
  const isTrusted = !why.includes("certificate");
  return isTrusted
    ? vaultError(
      `Cannot ${what}: Vault at ${address} can't be reached: ${why}`,
      "vault-unreachable",
      "see that the server runs, and that name and port fit: vault.address",
    )
    : vaultError(
      `Cannot ${what}: Vault at ${address} is not trusted: ${why}`,
      "vault-untrusted",
      "name the certificates that it is trusted by with vault.caFile",
    );
}

/** The end of fetch's chain of causes, without the URL that it repeats. */
function whyUnreached(error: unknown): string {
  if ((error as Error).name === "TimeoutError") return "no answer in 10 s";
  const { message, cause } = error as Error;
  const last = cause instanceof Error ? cause.message : message;
  const why = last.replace(/^error sending request .*?client error /, "");
  return oneLine(why.replace(/^\((Connect|SendRequest)\): /, ""), 200);
}

/** Reads a body that may be written by anybody, up to a bound. */
export async function boundedText(
  body: ReadableStream<Uint8Array> | null,
  most = longestAnswer,
): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > most) throw new RangeError(`longer than ${most}`);
  }
  return text + decoder.decode();
}

/** What a status means (Vault API, "HTTP status codes"). */
async function failure(
  server: VaultServer,
  question: Question,
  status: number,
): Promise<SyncError> {
  const cannot = `Cannot ${question.what}: Vault at ${server.address}`;
  if (status >= 300 && status < 400) {
    return vaultError(
      `${cannot} answers with a redirect, which is not followed: it would take the token elsewhere`,
      "vault-redirect",
      "set vault.address to the active server, or to a load balancer that finds it",
    );
  }
  switch (status) {
    case 400:
      return vaultError(`${cannot} finds the request wrong`, "vault-wrong");
    case 401:
    case 403:
      return vaultError(`${cannot} denies permission`, "vault-denied");
    case 404:
    case 405:
      return vaultError(
        `${cannot} has nothing at ${question.path}`,
        "vault-nothing",
        "see the mounts, and the namespace: vault.namespace",
      );
    case 412:
    case 429:
      return vaultError(`${cannot} is busy (${status})`, "vault-busy");
  }
  return await unhealthy(server, cannot, status);
}

/** Tells apart why a server doesn't serve (Vault API, "sys/health"). */
async function unhealthy(
  server: VaultServer,
  cannot: string,
  status: number,
): Promise<SyncError> {
  const what = "ask how it is";
  const health = await send(server, {
    what,
    method: "GET",
    path: "sys/health",
  });
  await health.body?.cancel();
  switch (health.status) {
    case 503:
      return vaultError(
        `${cannot} is sealed`,
        "vault-sealed",
        "unseal it: vault operator unseal",
      );
    case 501:
      return vaultError(`${cannot} is not initialised`, "vault-sealed");
    case 429:
    case 472:
    case 473:
      return vaultError(`${cannot} is a standby`, "vault-busy");
    default:
      return vaultError(`${cannot} fails (${status})`, "vault-busy");
  }
}

/** A failure of Vault: exit 5, tried again by the next run. */
export function vaultError(
  message: string,
  reason: string,
  ...hints: string[]
): SyncError {
  return new SyncError(message, {
    stage: "secrets",
    reason,
    next: "retry",
    hints,
  });
}

function odd(server: VaultServer, what: string): SyncError {
  return vaultError(
    `Cannot ${what}: ${server.address} does not answer as Vault does`,
    "vault-odd",
    "see vault.address",
  );
}

function tokenOf(server: VaultServer, auth: unknown): Token {
  const value = at(auth, "client_token");
  const seconds = at(auth, "lease_duration");
  if (typeof value !== "string" || typeof seconds !== "number") {
    throw odd(server, "log in");
  }
  const renewable = at(auth, "renewable") === true;
  return { value, lease: 1000 * seconds, renewable };
}

function at(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null
    ? (value as Record<string, unknown>)[key]
    : undefined;
}
