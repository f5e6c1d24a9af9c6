/**
 * A permanent login to Vault: logs in on first use, renews the token before it
 * expires, logs in again if it can't be renewed, and revokes it at the end.
 *
 * @module
 */
import { type Effects, say } from "../base/effects.ts";
import { formatDuration } from "../base/duration.ts";
import {
  isTemporary,
  logIn,
  lookUp,
  renew,
  revoke,
  type Token,
  unwrapSecretId,
  withRetries,
} from "./api.ts";
import type { VaultServer } from "./http.ts";
import {
  denied,
  isRefusal,
  readWord,
  roleRefused,
  tokenExpired,
  wrapUsed,
} from "./login.ts";

/** How this host logs in. Files are read at each login, and not cached. */
export type Credentials =
  | { kind: "token"; tokenFile: string }
  | {
    kind: "appRole";
    mount: string;
    roleId: string | { file: string };
    secretIdFile: string;
    /** Whether the file contains a wrapping token, which works once. */
    wrapped: boolean;
  };

type Held = Token & {
  since: number;
  first: number;
  /** Whether its policies do not allow it to look itself up. */
  isBlind: boolean;
};

/** How long a refused login is not tried again with the same credentials. */
const pauseAfterRefusal = 5 * 60_000;

/** See the module. */
export class VaultSession {
  #held: Held | undefined;
  #login: Promise<Held> | undefined;
  /** Vault locks out a role after too many attempts. */
  #refused: { words: string; error: unknown; at: number } | undefined;
  #unwrapped: { from: string; secretId: string } | undefined;
  /** The last token that could be looked up. */
  #seen: string | undefined;
  /**
   * When the last login happened because a call with a blind token was denied.
   */
  #triedAnew = -Infinity;

  constructor(
    readonly server: VaultServer,
    readonly credentials: Credentials,
    readonly effects: Pick<Effects, "monotonic" | "sleep" | "tell">,
  ) {}

  /**
   * Returns the token. Logs in if there is none; concurrent callers share one
   * login.
   */
  async token(): Promise<string> {
    const held = this.#held;
    if (held && !this.#isOver(held)) return held.value;
    this.#login ??= this.#logIn().finally(() => this.#login = undefined);
    return (await this.#login).value;
  }

  /**
   * Whether a retry can help after Vault denied a call: the token is no longer
   * valid. It is then dropped, so that the next call logs in.
   */
  async isStale(value: string): Promise<boolean> {
    if (this.#held?.value !== value) return true;
    if (this.#held.isBlind) return await this.#isBlindStale(value);
    try {
      await lookUp(this.server, value);
      return false;
    } catch (error) {
      if (isTemporary(error)) throw error;
      if (this.#held?.value === value) this.#held = undefined;
      return true;
    }
  }

  /**
   * Does the same for a token that can't be looked up: only another login shows
   * whether it has expired or lacks a policy. Allows one such login, and then
   * none for a while.
   */
  async #isBlindStale(value: string): Promise<boolean> {
    const { credentials } = this;
    if (credentials.kind === "token") {
      const word = await readWord(credentials.tokenFile, "vault.tokenFile");
      if (word === value) return false;
    } else {
      if (this.#now() - this.#triedAnew < pauseAfterRefusal) return false;
      this.#triedAnew = this.#now();
    }
    if (this.#held?.value === value) this.#held = undefined;
    return true;
  }

  /**
   * Returns what a person can do about a denied call, as far as the token
   * shows.
   *
   * @param rule The rule that a policy needs for the call.
   */
  hintsFor(rule: string): string[] {
    const { credentials } = this;
    const held = this.#held;
    const names = held?.policies.filter((name) => name !== "default") ?? [];
    const whose = names.length === 0
      ? "the host's policy needs"
      : names.length === 1
      ? `the policy ${names[0]} of this host lacks`
      : `one of the policies ${names.join(", ")} of this host must have`;
    return [
      `${whose}: ${rule}`,
      ...(held?.isBlind && credentials.kind === "token"
        ? [
          `or the token in ${credentials.tokenFile} has expired: without the policy default, vault-agent can't find out`,
        ]
        : []),
    ];
  }

  /** Renews the token, or logs in again, until the signal is aborted. */
  async keep(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      await this.effects.sleep(this.#nextRenewal());
      const held = this.#held;
      if (stop.aborted || !held || this.#nextRenewal() > 1000) continue;
      await this.#prolong(held).catch(async (error) => {
        say(this.effects, "warning", (error as Error).message);
        await this.effects.sleep(Math.min(held.lease / 6, 30_000));
      });
    }
  }

  /**
   * Revokes a token of this session; a token from a file belongs to somebody
   * else.
   */
  async end(): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    if (!held || this.credentials.kind === "token") return;
    await revoke(this.server, held.value);
  }

  /** Milliseconds until the token should be renewed, at least one second. */
  #nextRenewal(): number {
    const held = this.#held;
    if (!held || held.lease === 0) return 60_000;
    const due = held.since + (2 / 3) * held.lease;
    return Math.max(1000, Math.min(due - this.#now(), 60_000));
  }

  async #prolong(held: Held): Promise<void> {
    if (held.renewable) {
      const renewed = await withRetries(
        this.effects,
        held.lease / 6,
        () => renew(this.server, held),
      ).catch((error) => {
        if (isTemporary(error)) throw error;
        return undefined;
      });
      if (renewed && this.#held === held) {
        // Its permissions have not changed.
        const { policies, isBlind } = held;
        this.#hold({ ...renewed, policies }, isBlind, held.first);
      }
      // Near the maximum lifetime of a token, each renewal is shorter.
      if (renewed && renewed.lease >= held.first / 2) return;
    }
    if (this.credentials.kind === "appRole") {
      const old = this.#held;
      this.#login ??= this.#logIn().finally(() => this.#login = undefined);
      await this.#login;
      if (old) await revoke(this.server, old.value).catch(() => {});
    } else if (this.#now() - held.since > (5 / 6) * held.lease) {
      say(
        this.effects,
        "warning",
        `The token in ${this.credentials.tokenFile} expires soon and can't be renewed: write a new one to the file`,
      );
      // The current content of the file counts, whatever happened to the old
      // token.
      this.#held = undefined;
      await this.token();
    }
  }

  async #logIn(): Promise<Held> {
    const words = await this.#words();
    const refused = this.#refused;
    if (
      refused?.words === words &&
      this.#now() - refused.at < pauseAfterRefusal
    ) throw refused.error;
    try {
      const { token, isBlind } = await this.#loginWith(words);
      this.#refused = undefined;
      return this.#hold(token, isBlind);
    } catch (error) {
      if (isRefusal(error)) {
        this.#refused = { words, error, at: this.#now() };
      }
      throw error;
    }
  }

  /** Reads the credentials from the files. */
  async #words(): Promise<string> {
    const { credentials } = this;
    if (credentials.kind === "token") {
      return await readWord(credentials.tokenFile, "vault.tokenFile");
    }
    const { roleId, secretIdFile } = credentials;
    const role = typeof roleId === "string"
      ? roleId
      : await readWord(roleId.file, "vault.appRole.roleIdFile");
    const secret = await readWord(secretIdFile, "vault.appRole.secretIdFile");
    return `${role} ${secret}`;
  }

  async #loginWith(
    words: string,
  ): Promise<{ token: Token; isBlind: boolean }> {
    const { credentials, server } = this;
    if (credentials.kind === "token") {
      const token = await this.#lookedUp(words);
      if (token) return { token, isBlind: false };
      if (this.#seen === words) {
        throw tokenExpired(server, credentials.tokenFile);
      }
      // Its lifetime is unknown; calls show whether it is valid.
      const blind = { lease: 0, renewable: false, policies: [] };
      return { token: { value: words, ...blind }, isBlind: true };
    }
    const gap = words.lastIndexOf(" ");
    const [role, word] = [words.slice(0, gap), words.slice(gap + 1)];
    const secretId = credentials.wrapped ? await this.#unwrap(word) : word;
    try {
      const token = await logIn(server, credentials.mount, role, secretId);
      const seen = await this.#lookedUp(token.value).catch(() => token);
      return { token, isBlind: seen === undefined };
    } catch (error) {
      throw denied(error) ? roleRefused(server, credentials.mount) : error;
    }
  }

  /**
   * @returns `undefined` if the token has expired, or may not look itself up.
   */
  async #lookedUp(value: string): Promise<Token | undefined> {
    try {
      const token = await lookUp(this.server, value);
      this.#seen = value;
      return token;
    } catch (error) {
      if (denied(error)) return undefined;
      throw error;
    }
  }

  async #unwrap(wrappingToken: string): Promise<string> {
    if (this.#unwrapped?.from !== wrappingToken) {
      const secretId = await unwrapSecretId(this.server, wrappingToken).catch(
        (error) => {
          throw denied(error) ? wrapUsed(this.server) : error;
        },
      );
      this.#unwrapped = { from: wrappingToken, secretId };
    }
    return this.#unwrapped.secretId;
  }

  #hold(token: Token, isBlind: boolean, first = token.lease): Held {
    const life = token.lease === 0
      ? isBlind ? "does not show how long it lasts" : "does not expire"
      : `lasts ${formatDuration(token.lease)}`;
    const did = first === token.lease ? "Logged in to" : "Renewed the token of";
    say(
      this.effects,
      "info",
      `${did} Vault at ${this.server.address}: the token ${life}`,
    );
    this.#held = { ...token, since: this.#now(), first, isBlind };
    return this.#held;
  }

  #isOver({ lease, since }: Held): boolean {
    return lease > 0 && this.#now() - since >= lease;
  }

  #now(): number {
    return this.effects.monotonic();
  }
}
