/**
 * The socket of vault-agent: it only passes decrypt calls of the allowed
 * engines to the configured server.
 *
 * @module
 */
import { type Effects, say } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { boundedText } from "../base/http.ts";
import { isTemporary, transitDecrypt, withRetries } from "./api.ts";
import type { VaultSession } from "./session.ts";

/** A decrypt call. */
export interface Decrypt {
  engine: string;
  key: string;
}

/** How long calls fail at once after an outage. */
const pauseAfterOutage = 5_000;
/** A data key of sops is under 1 KiB. */
const longestRequest = 64 * 1024;
const longestWait = 10_000;

/**
 * Reads the path of a decrypt call, `/v1/<engine>/decrypt/<key>`.
 *
 * @returns `undefined` for every other call, and for other engines.
 */
export function decryptCall(
  method: string,
  url: string,
  engines: readonly string[],
): Decrypt | undefined {
  if (method !== "PUT" && method !== "POST") return undefined;
  const { pathname, search } = new URL(url);
  const parts = /^\/v1\/([\w./-]+)\/decrypt\/(\w[\w.-]*)$/.exec(pathname);
  if (!parts || search !== "") return undefined;
  const [, engine, key] = parts as unknown as [string, string, string];
  return engines.includes(engine) ? { engine, key } : undefined;
}

/** Answers the calls on the socket. */
export class VaultGate {
  #outage: { error: SyncError; until: number } | undefined;

  constructor(
    readonly session: VaultSession,
    readonly engines: readonly string[],
    /** Milliseconds that a call may wait for an unavailable server. */
    readonly patience: number,
    readonly effects: Pick<Effects, "monotonic" | "sleep" | "tell">,
  ) {}

  /** Answers one call; never throws. */
  async answer(request: Request): Promise<Response> {
    // Deno builds the URL from the caller's Host header.
    if (!URL.canParse(request.url)) {
      await request.body?.cancel();
      return refusal(400, "expected a host name in the Host header");
    }
    const call = decryptCall(request.method, request.url, this.engines);
    if (!call) {
      const { pathname } = new URL(request.url);
      await request.body?.cancel();
      this.#tell("warning", `Refused ${request.method} ${pathname}`);
      return refusal(
        403,
        `gitops-sync vault-agent only passes on decrypt calls of ${
          this.engines.join(", ")
        } (vault.engines)`,
      );
    }
    const ciphertext = await ciphertextOf(request);
    if (ciphertext === undefined) {
      return refusal(400, 'expected {"ciphertext": "vault:v1:…"}');
    }
    try {
      const plaintext = await this.#decrypt(call, ciphertext);
      this.#tell("debug", `Decrypted with ${call.engine}/${call.key}`);
      return Response.json({ data: { plaintext } });
    } catch (error) {
      return this.#failed(error);
    }
  }

  async #decrypt(call: Decrypt, ciphertext: string): Promise<string> {
    const outage = this.#outage;
    if (outage && this.effects.monotonic() < outage.until) {
      throw outage.error;
    }
    const plaintext = await withRetries(
      this.effects,
      this.patience,
      () => this.#try(call, ciphertext),
    );
    this.#outage = undefined;
    return plaintext;
  }

  /**
   * Tries once, and again with a new token if the old one is no longer valid.
   */
  async #try({ engine, key }: Decrypt, ciphertext: string): Promise<string> {
    const { session } = this;
    const once = (token: string) =>
      transitDecrypt(session.server, token, engine, key, ciphertext);
    const denied = (error: unknown) => {
      if (!isDenied(error)) throw error;
      throw policyLacks(error, session, engine, key);
    };
    const token = await session.token();
    try {
      return await once(token);
    } catch (error) {
      if (!isDenied(error) || !await session.isStale(token)) {
        return denied(error);
      }
      return await once(await session.token()).catch(denied);
    }
  }

  /**
   * Returns a failure for sops to show. Its client retries after 429 and most
   * 5xx, which was already done here. So a temporary failure has status 424,
   * "failed dependency".
   */
  #failed(error: unknown): Response {
    if (!(error instanceof SyncError)) {
      // The stack only names code of this program.
      this.#tell("error", `A bug: ${(error as Error).stack}`);
      return refusal(500, "a bug in gitops-sync vault-agent: see its journal");
    }
    if (isTemporary(error) && error !== this.#outage?.error) {
      const until = this.effects.monotonic() + pauseAfterOutage;
      this.#outage = { error, until };
    }
    this.#tell("warning", error.message, error.hints);
    const status = statuses[error.reason] ?? 424;
    return refusal(status, [error.message, ...error.hints].join("; "));
  }

  #tell(
    level: "debug" | "warning" | "error",
    text: string,
    hints: readonly string[] = [],
  ): void {
    say(this.effects, level, text, hints);
  }
}

/**
 * Statuses of failures that depend on the file. A refused login is not among
 * them: a fault of the host is no reason to block a revision.
 */
const statuses: Readonly<Record<string, number>> = {
  "vault-wrong": 400,
  "vault-nothing": 404,
  "vault-denied": 403,
};

function isDenied(error: unknown): error is SyncError {
  return error instanceof SyncError && error.reason === "vault-denied";
}

function policyLacks(
  error: SyncError,
  session: VaultSession,
  engine: string,
  key: string,
): SyncError {
  return new SyncError(error.message, {
    stage: "secrets",
    reason: error.reason,
    next: "retry",
    hints: session.hintsFor(
      `path "${engine}/decrypt/${key}" { capabilities = ["update"] }`,
    ),
  });
}

async function ciphertextOf(request: Request): Promise<string | undefined> {
  const late = AbortSignal.timeout(longestWait);
  try {
    const text = await Promise.race([
      boundedText(request.body, longestRequest),
      new Promise<never>((_, reject) =>
        late.addEventListener("abort", () => reject(late.reason))
      ),
    ]);
    const { ciphertext } = JSON.parse(text);
    return typeof ciphertext === "string" ? ciphertext : undefined;
  } catch {
    return undefined;
  }
}

function refusal(status: number, message: string): Response {
  return Response.json({ errors: [message] }, { status });
}
