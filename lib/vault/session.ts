/**
 * A login to Vault that lasts: made when it is first needed, renewed before it
 * ends, made anew when it can't be renewed, and revoked at the end.
 *
 * @module
 */
import { type Effects, say } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
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
import { vaultError, type VaultServer } from "./http.ts";

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

type Held = Token & { since: number; first: number };

/** A refused login is not tried again with the same words for so long. */
const pauseAfterRefusal = 5 * 60_000;

/** See the module. */
export class VaultSession {
  #held: Held | undefined;
  #login: Promise<Held> | undefined;
  /** Vault locks a role out that is tried too often. */
  #refused: { words: string; error: unknown; at: number } | undefined;
  #unwrapped: { from: string; secretId: string } | undefined;

  constructor(
    readonly server: VaultServer,
    readonly credentials: Credentials,
    readonly effects: Pick<Effects, "now" | "sleep" | "tell">,
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
    try {
      await lookUp(this.server, value);
      return false;
    } catch (error) {
      if (mayPass(error)) throw error;
      if (this.#held?.value === value) this.#held = undefined;
      return true;
    }
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
      if (renewed && this.#held === held) this.#hold(renewed, held.first);
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
        `The token in ${this.credentials.tokenFile} ends soon and can't be renewed: write a new one to the file`,
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
      const token = await this.#loginWith(words);
      this.#refused = undefined;
      return this.#hold(token);
    } catch (error) {
      if (!mayPass(error)) this.#refused = { words, error, at: this.#now() };
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

  async #loginWith(words: string): Promise<Token> {
    const { credentials, server } = this;
    if (credentials.kind === "token") {
      return await lookUp(server, words).catch((error) => {
        throw denied(error) ? tokenOver(server, credentials.tokenFile) : error;
      });
    }
    const gap = words.lastIndexOf(" ");
    const [role, word] = [words.slice(0, gap), words.slice(gap + 1)];
    const secretId = credentials.wrapped ? await this.#unwrap(word) : word;
    try {
      return await logIn(server, credentials.mount, role, secretId);
    } catch (error) {
      throw denied(error) ? roleRefused(server, credentials.mount) : error;
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

  #hold(token: Token, first = token.lease): Held {
    const life = token.lease === 0
      ? "does not end"
      : `lasts ${formatDuration(token.lease)}`;
    const did = first === token.lease ? "Logged in to" : "Renewed the token of";
    say(
      this.effects,
      "info",
      `${did} Vault at ${this.server.address}: the token ${life}`,
    );
    this.#held = { ...token, since: this.#now(), first };
    return this.#held;
  }

  #isOver({ lease, since }: Held): boolean {
    return lease > 0 && this.#now() - since >= lease;
  }

  #now(): number {
    return this.effects.now().getTime();
  }
}

/** Reads a file that holds one word; no message ever shows it. */
async function readWord(path: string, option: string): Promise<string> {
  const text = await Deno.readTextFile(path).catch((error) => {
    throw unusable(path, option, (error as Error).message);
  });
  const word = text.trim();
  if (/^[!-~]{1,4096}$/.test(word)) return word;
  throw unusable(path, option, "expected one word in it");
}

function unusable(path: string, option: string, why: string): SyncError {
  return vaultError(
    `Cannot use ${path} to log in to Vault: ${why}`,
    "vault-credentials",
    `${option} names it; it must be readable for the user of vault-agent`,
  );
}

/** A login with wrong words is answered with 400 by AppRole, 403 elsewhere. */
function denied(error: unknown): boolean {
  return error instanceof SyncError &&
    ["vault-wrong", "vault-denied"].includes(error.reason);
}

function tokenOver({ address }: VaultServer, path: string): SyncError {
  return vaultError(
    `Cannot log in: Vault at ${address} refuses the token in ${path}: it has expired or was revoked`,
    "vault-login",
    "write a new token to the file",
  );
}

function roleRefused({ address }: VaultServer, mount: string): SyncError {
  return vaultError(
    `Cannot log in: Vault at ${address} refuses the role id or the secret id for auth/${mount}`,
    "vault-login",
    "write a new secret id to the file of vault.appRole.secretIdFile; see that the role exists",
  );
}

function wrapUsed({ address }: VaultServer): SyncError {
  return vaultError(
    `Cannot log in: Vault at ${address} does not unwrap the secret id: it has expired, or it was unwrapped before`,
    "vault-wrap-used",
    "write a newly wrapped secret id to the file: each start of vault-agent needs one",
    "if nobody started vault-agent in between, somebody else holds the secret id now: destroy it",
  );
}
