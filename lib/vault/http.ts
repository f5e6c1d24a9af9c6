/**
 * Vault and OpenBao over HTTP. Only uses the configured address, and only the
 * needed fields of answers. Bodies of errors are discarded unread, because some
 * of them echo the request.
 *
 * @module
 */
import { SyncError } from "../base/errors.ts";
import { boundedText, whyOf } from "../base/http.ts";

/** The address of the server and how to connect to it. */
export interface VaultServer {
  /** `https://vault.example.com`, without a trailing slash. */
  address: string;
  namespace: string | undefined;
  /** Has the configured CA. */
  client: Deno.HttpClient;
  /** Reads the CA again; returns whether it has changed. */
  renewCa?: () => Promise<boolean>;
}

/** A request to the server. */
export interface Question {
  /** Completes "Cannot …" in messages. */
  what: string;
  method: "GET" | "POST";
  /** Below `/v1/`. */
  path: string;
  token?: string;
  body?: Readonly<Record<string, string>>;
}

const longestCall = 10_000;
const longestAnswer = 1024 * 1024;

/**
 * Returns the configured server.
 *
 * @param ca The trusted certificates (PEM); the default is those of the system.
 * @param readCa Reads them again if the server is no longer trusted.
 */
export function vaultServer(
  address: string,
  namespace: string | undefined,
  ca: string | undefined,
  readCa?: () => Promise<string>,
): VaultServer {
  const server: VaultServer = {
    address: address.replace(/\/+$/, ""),
    namespace,
    client: Deno.createHttpClient(ca === undefined ? {} : { caCerts: [ca] }),
  };
  if (!readCa) return server;
  let known = ca;
  server.renewCa = async () => {
    const now = await readCa().catch(() => known);
    if (now === undefined || now === known) return false;
    known = now;
    server.client = Deno.createHttpClient({ caCerts: [now] });
    return true;
  };
  return server;
}

/**
 * Sends one request and returns the answer.
 *
 * @throws {SyncError} exit 5, for every other status.
 */
export async function ask(
  server: VaultServer,
  question: Question,
): Promise<unknown> {
  const response = await send(server, question).catch(async (error) => {
    // The server's certificates may have been renewed, and the CA file with
    // them.
    const isTrusted = (error as SyncError).reason !== "vault-untrusted";
    if (isTrusted || !await server.renewCa?.()) throw error;
    return await send(server, question);
  });
  if (response.status === 204) return undefined;
  if (response.status !== 200) {
    await response.body?.cancel();
    throw await failure(server, question, response.status);
  }
  try {
    return JSON.parse(await boundedText(response.body, longestAnswer));
  } catch {
    throw notVault(server, question.what);
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
      // A redirect would send the token to another address.
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
  const why = whyOf(error);
  // The next try would not trust it either.
  const isTrusted = !why.includes("certificate");
  return isTrusted
    ? vaultError(
      `Cannot ${what}: Vault at ${address} can't be reached: ${why}`,
      "vault-unreachable",
      "check that the server runs, and that vault.address has the right name and port",
    )
    : vaultError(
      `Cannot ${what}: Vault at ${address} is not trusted: ${why}`,
      "vault-untrusted",
      "set vault.caFile to a file with the certificate authority of the server",
    );
}

/** Returns the error for a status (Vault API, "HTTP status codes"). */
async function failure(
  server: VaultServer,
  question: Question,
  status: number,
): Promise<SyncError> {
  const cannot = `Cannot ${question.what}: Vault at ${server.address}`;
  if (status >= 300 && status < 400) {
    return vaultError(
      `${cannot} answers with a redirect, which is not followed: it would send the token elsewhere`,
      "vault-redirect",
      "set vault.address to the active server, or to a load balancer that finds it",
    );
  }
  switch (status) {
    case 400:
      return vaultError(
        `${cannot} rejects the request as invalid`,
        "vault-wrong",
      );
    case 401:
    case 403:
      return vaultError(`${cannot} denies permission`, "vault-denied");
    case 404:
    case 405:
      return vaultError(
        `${cannot} has nothing at ${question.path}`,
        "vault-nothing",
        "check that the engine or login method is mounted there, and check vault.namespace",
      );
    case 412:
    case 429:
      return vaultError(`${cannot} is busy (${status})`, "vault-busy");
  }
  return await unhealthy(server, cannot, status);
}

/** Finds out why a server is unavailable (Vault API, "sys/health"). */
async function unhealthy(
  server: VaultServer,
  cannot: string,
  status: number,
): Promise<SyncError> {
  const what = "check the health of Vault";
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
      return vaultError(
        `${cannot} is not initialised`,
        "vault-sealed",
        "initialise it: vault operator init",
      );
    case 429:
    case 472:
    case 473:
      return vaultError(
        `${cannot} is a standby server`,
        "vault-busy",
        "set vault.address to the active server, or to a load balancer that finds it",
      );
    default:
      return vaultError(
        `${cannot} answers with status ${status}`,
        "vault-busy",
      );
  }
}

/** Returns a failure of Vault: exit 5; the next run tries again. */
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

/** Returns the error for a server that is not Vault. */
export function notVault(server: VaultServer, what: string): SyncError {
  return vaultError(
    `Cannot ${what}: ${server.address} does not answer like Vault`,
    "vault-odd",
    "check vault.address",
  );
}
