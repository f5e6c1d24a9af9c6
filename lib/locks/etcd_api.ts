/**
 * The JSON gateway of etcd v3: sends a call to the first member that answers.
 *
 * The gateway writes 64-bit numbers as strings, and keys and values in base64.
 * It omits everything that is zero: `succeeded: false`, an empty list, the TTL
 * of an expired lease.
 *
 * @module
 */
import { oneLine } from "../base/text.ts";
import { type Answer, objectIn, postJson, textIn } from "./http.ts";
import { LockError } from "./server.ts";

/** The access to a cluster. */
export interface EtcdAccess {
  endpoints: readonly string[];
  client: Deno.HttpClient;
  user?: { name: string; password: string };
}

/** A part of an answer. */
type Json = Readonly<Record<string, unknown>>;

/** A cluster of etcd. */
export class EtcdApi {
  /** The member that answered last. */
  #member = 0;
  #token: string | undefined;

  constructor(private readonly access: EtcdAccess) {}

  /**
   * Calls the API.
   *
   * @param path Below `/v3/`.
   * @throws {LockTrouble} if no member does it. If an answer got lost, it may
   * have been done.
   */
  async call(path: string, body: unknown): Promise<Json> {
    const { endpoints } = this.access;
    let last: LockError | undefined;
    for (let tried = 0; tried < endpoints.length; tried++) {
      try {
        return await this.#atMember(path, body);
      } catch (error) {
        if (!(error instanceof LockError) || !error.isElsewhere) throw error;
        last = error;
        this.#member = (this.#member + 1) % endpoints.length;
        this.#token = undefined;
      }
    }
    if (endpoints.length < 2 || !last) throw last;
    throw new LockError(
      `none of the ${endpoints.length} etcd members answers: ${last.message}`,
      last.hints,
    );
  }

  async #atMember(path: string, body: unknown): Promise<Json> {
    const answer = await this.#send(path, body);
    if (answer.status !== 401 || !this.access.user) {
      return this.#good(path, answer);
    }
    // Tokens expire soon, and a restarted member knows none.
    this.#token = undefined;
    return this.#good(path, await this.#send(path, body));
  }

  async #send(path: string, body: unknown): Promise<Answer> {
    const { endpoints, client, user } = this.access;
    const base = `${endpoints[this.#member]}/v3`;
    if (user && this.#token === undefined) {
      const { name, password } = user;
      const answer = await postJson(client, `${base}/auth/authenticate`, {
        name,
        password,
      });
      this.#token = textIn(this.#good("auth/authenticate", answer)["token"]);
    }
    const headers = this.#token ? { Authorization: this.#token } : {};
    return await postJson(client, `${base}/${path}`, body, headers);
  }

  /** @throws {LockTrouble} if the call did not succeed. */
  #good(path: string, { status, json }: Answer): Json {
    const found = objectIn(json);
    const at = this.access.endpoints[this.#member];
    if (status === 200 && json !== undefined && !("error" in found)) {
      return found;
    }
    const { message, error } = found;
    const said = oneLine(textIn(message) || textIn(error), 200);
    const isBusy = status >= 500 || status === 408 || status === 429;
    throw new LockError(
      status === 200
        ? `the answer of ${at} is not an answer of etcd`
        : `${at} refused ${path} with status ${status}${
          said ? `: ${said}` : ""
        }`,
      status === 404 && !said
        ? ["set lock.etcd.endpoints to the client URLs of etcd 3.4 or newer"]
        : [401, 403].includes(status) || /user name|authentica/.test(said)
        ? [
          "check lock.etcd.username, lock.etcd.passwordFile and the roles of that user in etcd",
        ]
        : [],
      isBusy,
    );
  }
}

/** Encodes a key or value for the gateway. */
export function encoded(text: string): string {
  const bytes = new TextEncoder().encode(text);
  return btoa(String.fromCharCode(...bytes));
}

/**
 * Decodes a key or value of the gateway. Returns an empty text if it is
 * invalid.
 */
export function decoded(value: unknown): string {
  try {
    const bytes = Uint8Array.from(
      atob(textIn(value)),
      (letter) => letter.charCodeAt(0),
    );
    return new TextDecoder().decode(bytes);
  } catch {
    return "";
  }
}
