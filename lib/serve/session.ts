/**
 * Identifies the sender of a request: by a session, or by the header of a
 * reverse proxy.
 *
 * A session is a random number in a cookie. Its data is in the memory of this
 * process and ends with it. The token against forged requests ("CSRF") is made
 * with a key of this process, for one session.
 *
 * @module
 */
import { toBase64Url } from "../base/base64.ts";
import { digestOf } from "../base/digest.ts";
import type { LocalConfig } from "../config/config.ts";
import { isUserName } from "../config/serve_kinds.ts";

/** A person who may press buttons. */
export interface Session {
  /** The name of the person. */
  name: string;
  /** The token that a form must contain. */
  csrf: string;
}

/** Returns the sender of a request, or `undefined` if unknown. */
export type SessionOf = (request: Request) => Promise<Session | undefined>;

/** The options that decide who may press buttons. */
export type AuthConfig = Pick<
  LocalConfig,
  | "serve.auth.passwordFile"
  | "serve.auth.header"
  | "serve.auth.users"
  | "serve.auth.origin"
>;

/** The length of a session and of its token, in milliseconds. */
const longest = 12 * 3_600_000;

/** The limit of sessions. A new one ends the oldest one. */
const most = 256;

/** The length of a session's number, in bytes. */
const idBytes = 32;

/** Reports whether an authenticated person may press buttons. */
export function mayPress(
  { "serve.auth.users": users }: AuthConfig,
  name: string,
): boolean {
  return isUserName(name) && (users.length === 0 || users.includes(name));
}

/** Makes tokens with a random key of this process. */
class Tokens {
  readonly #key = crypto.subtle.generateKey(
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  ) as Promise<CryptoKey>;

  async of(...subject: readonly (string | number)[]): Promise<string> {
    const bytes = new TextEncoder().encode(JSON.stringify(subject));
    const mac = await crypto.subtle.sign("HMAC", await this.#key, bytes);
    return toBase64Url(new Uint8Array(mac));
  }
}

/**
 * Identifies people by a header of a reverse proxy.
 *
 * @param monotonic A clock in milliseconds that never jumps.
 */
export function sessionsOfHeader(
  config: AuthConfig,
  header: string,
  monotonic: () => number,
): SessionOf {
  const tokens = new Tokens();
  return async ({ headers }) => {
    const name = headers.get(header);
    if (name === null || !mayPress(config, name)) return undefined;
    const spell = Math.floor(monotonic() / longest);
    return { name, csrf: await tokens.of("header", name, spell) };
  };
}

/** The sessions of people who signed in with a password. */
export class Sessions {
  /**
   * By the digest of the number, so the time of a lookup reveals nothing about
   * it.
   */
  readonly #open = new Map<string, { name: string; until: number }>();
  readonly #tokens = new Tokens();

  constructor(
    private readonly config: AuthConfig,
    private readonly monotonic: () => number,
  ) {}

  /**
   * Begins a session.
   *
   * @returns the cookie for the browser.
   */
  async begin(name: string): Promise<string> {
    const id = toBase64Url(crypto.getRandomValues(new Uint8Array(idBytes)));
    const until = this.monotonic() + longest;
    this.#open.set(await keyOf(id), { name, until });
    const [oldest] = this.#open.keys();
    if (this.#open.size > most) this.#open.delete(oldest!);
    return this.#cookie(id, longest / 1000);
  }

  /** Returns the session of a request. */
  async of(request: Request): Promise<Session | undefined> {
    const key = await this.#keyIn(request);
    const known = key === undefined ? undefined : this.#open.get(key);
    if (!known) return undefined;
    if (this.monotonic() >= known.until) {
      this.#open.delete(key!);
      return undefined;
    }
    const { name } = known;
    if (!mayPress(this.config, name)) return undefined;
    return { name, csrf: await this.#tokens.of("session", key!) };
  }

  /**
   * Ends the session of a request, if there is one.
   *
   * @returns the cookie that removes it from the browser.
   */
  async end(request: Request): Promise<string> {
    const key = await this.#keyIn(request);
    if (key !== undefined) this.#open.delete(key);
    return this.#cookie("", 0);
  }

  /**
   * Browsers restrict a `__Host-` cookie to TLS, to this host and to all paths.
   */
  get #name(): string {
    return this.#isSecure ? "__Host-gitops-sync" : "gitops-sync";
  }

  get #isSecure(): boolean {
    return this.config["serve.auth.origin"]?.startsWith("https:") ?? false;
  }

  #cookie(value: string, seconds: number): string {
    const secure = this.#isSecure ? "; Secure" : "";
    return `${this.#name}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure}`;
  }

  /** Two cookies with this name mean that somebody planted one. */
  async #keyIn({ headers }: Request): Promise<string | undefined> {
    const named = (headers.get("cookie") ?? "").split(";")
      .map((part) => part.trim())
      .filter((part) => part.startsWith(`${this.#name}=`));
    const id = named[0]?.slice(this.#name.length + 1) ?? "";
    if (named.length !== 1 || !/^[\w-]{43}$/.test(id)) return undefined;
    return await keyOf(id);
  }
}

function keyOf(id: string): Promise<string> {
  return digestOf("SHA-256", new TextEncoder().encode(id));
}
