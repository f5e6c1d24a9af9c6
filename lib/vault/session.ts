/**
 * A login to Vault that lasts: made when it is first needed, renewed before it
 * ends, made anew when it can't be renewed, and revoked at the end.
 *
 * @module
 */
import { type Effects, say } from "../base/effects.ts";
import { formatDuration } from "../base/duration.ts";
import {
  logIn,
  lookUp,
  mayPass,
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
  tokenOver,
  wrapUsed,
} from "./login.ts";

/** How this host logs in. Files are read at each login, never kept. */
export type Credentials =
  | { kind: "token"; tokenFile: string }
  | {
    kind: "appRole";
    mount: string;
    roleId: string | { file: string };
    secretIdFile: string;
    /** Whether the file holds a wrapping token, which gives it once. */
    wrapped: boolean;
  };

type Held = Token & {
  since: number;
  first: number;
  /** Whether its policies keep it from looking itself up. */
  isBlind: boolean;
};

/** A refused login is not tried again with the same words for so long. */
const pauseAfterRefusal = 5 * 60_000;

/** See the module. */
export class VaultSession {
  #held: Held | undefined;
  #login: Promise<Held> | undefined;
  /** Vault locks a role out that is tried too often. */
  #refused: { words: string; error: unknown; at: number } | undefined;
  #unwrapped: { from: string; secretId: string } | undefined;
  /** The last token that could be looked up. */
  #seen: string | undefined;
  /** When a login was made last because a blind token was denied a call. */
  #triedAnew = -Infinity;

  constructor(
    readonly server: VaultServer,
    readonly credentials: Credentials,
    readonly effects: Pick<Effects, "monotonic" | "sleep" | "tell">,
  ) {}

  /** The token, after a login if there is none: one, however many ask. */
  async token(): Promise<string> {
    const held = this.#held;
    if (held && !this.#isOver(held)) return held.value;
    this.#login ??= this.#logIn().finally(() => this.#login = undefined);
    return (await this.#login).value;
  }

  /**
   * Whether it is worth to try again after Vault denied a call: the token is
   * not good any more and is forgotten, so that the next call logs in.
   */
  async isStale(value: string): Promise<boolean> {
    if (this.#held?.value !== value) return true;
    if (this.#held.isBlind) return await this.#isBlindStale(value);
    try {
      await lookUp(this.server, value);
      return false;
    } catch (error) {
      if (mayPass(error)) throw error;
      if (this.#held?.value === value) this.#held = undefined;
      return true;
    }
  }

  /**
   * The same of a token that can't be looked up: whether it is over or lacks a
   * policy, only another login shows. One is made, and none for a while then.
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
   * What a person may do about a call that was denied, as far as the token
   * shows.
   *
   * @param rule The lines that a policy needs for the call.
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

  /** Renews the token, or logs in again, until the signal says stop. */
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

  /** Revokes a token that was made here; one from a file is somebody's. */
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
        if (mayPass(error)) throw error;
        return undefined;
      });
      if (renewed && this.#held === held) {
        // What it may do has not changed.
        const { policies, isBlind } = held;
        this.#hold({ ...renewed, policies }, isBlind, held.first);
      }
      // Near the longest life of a token a renewal gives less and less.
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
      // What the file says by now counts, whatever became of the old token.
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

  /** What the files hold. */
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
      if (this.#seen === words) throw tokenOver(server, credentials.tokenFile);
      // How long it lasts is not known; calls show whether it is good.
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

  /** @returns `undefined` where the token is over, or may not look itself up. */
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
