/**
 * The binary cache from which hosts get their systems.
 *
 * @module
 */
import type { Command, Effects, Finished } from "../base/effects.ts";
import { SyncError, usageError } from "../base/errors.ts";
import { count, lastWords, oneLine } from "../base/text.ts";
import type { LocalConfig } from "../config/config.ts";
import { OneAtATime } from "./parallel.ts";
import { pathsIn, type StoredPath } from "./path_info.ts";

/** The key that signs store paths. */
export interface CacheKey {
  file: string;
  /** The name in each signature. */
  name: string;
}

/**
 * Reads the name of a key.
 *
 * @param file The secret key file of `nix-store --generate-binary-cache-key`.
 * @throws {SyncError} `cache-key`, exit 2.
 */
export async function readCacheKey(file: string): Promise<CacheKey> {
  const path = await Deno.realPath(file).catch((error) => {
    throw badKey(file, (error as Error).message);
  });
  const text = await Deno.readTextFile(path).catch((error) => {
    throw badKey(file, (error as Error).message);
  });
  // 64 bytes in base64 (nix-store(1), "--generate-binary-cache-key").
  const [, name] = /^([^\s:]+):[A-Za-z0-9+/]{86}==\s*$/.exec(text) ?? [];
  if (name === undefined) throw badKey(file, "it holds no secret key");
  return { file: path, name };
}

function badKey(file: string, why: string): SyncError {
  return usageError(
    "cache-key",
    `Cannot sign with ${oneLine(file, 200)}: ${oneLine(why, 200)}`,
    "create a key: nix-store --generate-binary-cache-key NAME-1 SECRET PUBLIC; then add the content of PUBLIC to trusted-public-keys of the hosts",
  );
}

/** Variables for access to a cache by SSH or in S3. Only Nix gets them. */
const ofStorage = [
  "NIX_SSHOPTS",
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_PROFILE",
  "AWS_REGION",
  "AWS_DEFAULT_REGION",
  "AWS_CONFIG_FILE",
  "AWS_SHARED_CREDENTIALS_FILE",
  "AWS_ROLE_ARN",
  "AWS_WEB_IDENTITY_TOKEN_FILE",
  "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
  "AWS_CONTAINER_CREDENTIALS_FULL_URI",
  "AWS_EC2_METADATA_DISABLED",
];

/** A cache that `nix copy` can write to. */
export class Cache {
  readonly #copies = new OneAtATime();
  /** Its URL without the part after `?`, which may contain a secret. */
  readonly shown: string;

  constructor(
    private readonly effects: Pick<Effects, "run">,
    private readonly config: Pick<LocalConfig, "timeouts.build">,
    private readonly url: string,
    private readonly key: CacheKey | undefined,
  ) {
    this.shown = oneLine(url.replace(/[?#].*$/, ""), 200);
    if (/^-|^\s*$/.test(url)) {
      throw usageError(
        "cache-url",
        `Cannot copy to ${
          this.shown || '""'
        }: expected the URL of a binary cache`,
        "for example --cache file:///srv/cache, s3://bucket?region=eu-west-1 or ssh-ng://cache.example.org",
      );
    }
  }

  /**
   * Returns why a host could not get a system from here, or `undefined` if its
   * whole closure is here and signed.
   */
  async lacks(system: string): Promise<string | undefined> {
    const paths = await this.#closure(system);
    if (paths === undefined) return "some of its store paths are missing there";
    const { key } = this;
    if (!key) return undefined;
    const unsigned = paths.filter(({ signers }) => !signers.includes(key.name));
    return unsigned.length === 0
      ? undefined
      : `${count(unsigned.length, "path")} without a signature of ${key.name}`;
  }

  /**
   * Copies the closure of a system, signed, and checks that it arrived. Only
   * one copy runs at a time, because hosts share most paths.
   *
   * @throws {SyncError} stage `build`: `not-copied`, `not-signed`.
   */
  add(system: string, host: string): Promise<void> {
    return this.#copies.run(() => this.#add(system, host));
  }

  async #add(system: string, host: string): Promise<void> {
    // The copy of another host may have brought all of it.
    if (await this.lacks(system) === undefined) return;
    if (this.key && !this.#signsAlone) await this.#sign(system, host, []);
    const copied = await this.#nix(["copy", "--to", this.#target, system]);
    if (copied.code !== 0) {
      throw this.#failure(`copy ${host} to ${this.shown}`, copied);
    }
    let why = await this.lacks(system);
    if (this.key && why !== undefined) {
      // Paths that were there before keep their old signatures.
      await this.#sign(system, host, ["--store", this.url]);
      why = await this.lacks(system);
    }
    if (why === undefined) return;
    throw new SyncError(
      `Cannot use ${this.shown} for ${host}: after the copy, ${why}`,
      { stage: "build", reason: "not-copied", next: "stop" },
    );
  }

  /** File stores sign what is written to them, without a trusted user. */
  get #signsAlone(): boolean {
    return /^(?:file|s3|https?):\/\/|^\//.test(this.url);
  }

  get #target(): string {
    if (!this.key || !this.#signsAlone) return this.url;
    const secret = `secret-key=${encodeURIComponent(this.key.file)}`;
    return `${this.url}${this.url.includes("?") ? "&" : "?"}${secret}`;
  }

  async #sign(system: string, host: string, where: string[]): Promise<void> {
    const signed = await this.#nix([
      ...["store", "sign", "--recursive"],
      ...["--key-file", this.key!.file, ...where, system],
    ]);
    if (signed.code === 0) return;
    throw this.#failure(`sign ${host}`, signed, "not-signed");
  }

  /**
   * Returns the closure of a system in the cache, or `undefined` if it is
   * incomplete.
   */
  async #closure(system: string): Promise<StoredPath[] | undefined> {
    const { code, stdout } = await this.#nix([
      ...["path-info", "--json", "--recursive"],
      ...["--store", this.url, system],
    ]);
    return code === 0
      ? pathsIn(new TextDecoder().decode(stdout), system)
      : undefined;
  }

  async #nix(args: readonly string[]): Promise<Finished> {
    const env: Record<string, string> = { LC_ALL: "C" };
    for (const name of ofStorage) {
      const value = Deno.env.get(name);
      if (value !== undefined) env[name] = value;
    }
    const command: Command = {
      program: "nix",
      args: [
        ...["--extra-experimental-features", "nix-command"],
        ...args,
        // Nix's local record of a cache may be outdated.
        ...["--option", "narinfo-cache-negative-ttl", "0"],
        ...["--option", "narinfo-cache-positive-ttl", "3600"],
      ],
      env,
      timeout: this.config["timeouts.build"],
    };
    return await this.effects.run(command);
  }

  #failure(what: string, finished: Finished, reason = "not-copied") {
    const why = finished.timedOut ? "it took longer than timeouts.build" : "";
    const words = lastWords(finished);
    const last = words.findLast((line) => line.startsWith("error:"));
    return new SyncError(
      `Cannot ${what}: ${
        why || oneLine(last?.slice("error: ".length) ?? "Nix failed", 300)
      }`,
      {
        stage: "build",
        reason,
        next: "stop",
        details: words,
        hints: [hintFor(last)],
      },
    );
  }
}

function hintFor(error = ""): string {
  return error.includes("don't know how to open")
    ? "check the URL; for s3:// use a Nix that was built with S3, which Debian's is not"
    : "check that this machine can connect to the cache and write to it, then publish again: nothing is copied twice";
}
