/**
 * Files of age that agenix installs: `secrets.nix` says whom they are for.
 *
 * @module
 */
import { dirname, join, relative } from "@std/path";
import type { Effects } from "../../base/effects.ts";
import { SyncError, usageError } from "../../base/errors.ts";
import { oneLine, safeLines } from "../../base/text.ts";
import type { Identity } from "../age.ts";
import { nearest, type Place } from "./checkout.ts";
import { isMap } from "../sops/formats.ts";

/** Whom each file is for, by its path from the folder of `secrets.nix`. */
export type AgeRules = ReadonlyMap<string, readonly string[]>;

/**
 * Evaluates a `secrets.nix`.
 *
 * @throws {SyncError} `rules-wrong`, exit 2.
 */
export async function readAgeRules(
  effects: Pick<Effects, "run">,
  file: string,
): Promise<AgeRules> {
  const finished = await effects.run({
    program: "nix-instantiate",
    // No store is needed for it, and none should be written to.
    args: ["--eval", "--strict", "--json", "--store", "dummy://", file],
    timeout: 60_000,
  });
  const wrong = (why: string, ...details: string[]) =>
    new SyncError(`Cannot use ${file}: ${why}`, {
      stage: "config",
      reason: "rules-wrong",
      next: "stop",
      details,
      hints: [`expected lines such as "db.age".publicKeys = [ web ];`],
    });
  if (finished.code !== 0) {
    const lines = safeLines(finished.stderr).slice(-6);
    throw wrong("it does not evaluate", ...lines);
  }
  const rules: unknown = JSON.parse(new TextDecoder().decode(finished.stdout));
  if (!isMap(rules)) throw wrong("it is no set of files");
  return new Map(
    Object.entries(rules).map(([path, rule]) => {
      const publicKeys = isMap(rule) ? rule.publicKeys : undefined;
      if (Array.isArray(publicKeys)) {
        return [path, publicKeys.map((key) => withoutComment(String(key)))];
      }
      throw wrong(`it has no publicKeys for ${oneLine(path)}`);
    }),
  );
}

/** `ssh-ed25519 AAAA… root@web` without the comment, which is no part of it. */
export function withoutComment(key: string): string {
  return key.trim().split(/\s+/).slice(0, key.startsWith("ssh-") ? 2 : 1)
    .join(" ");
}

/** Whom a file is for. */
export async function ageRecipientsOf(
  effects: Pick<Effects, "run">,
  place: Place,
): Promise<readonly string[]> {
  const rules = await nearest(place, "secrets.nix");
  const found = rules === undefined
    ? undefined
    : (await readAgeRules(effects, join(place.top, rules)))
      .get(relative(dirname(rules), place.path));
  if (found && found.length > 0) return found;
  throw usageError(
    "no-rules",
    `Cannot tell whom ${place.path} is for: no secrets.nix names it`,
    `add to secrets.nix: "${place.path}".publicKeys = [ … ];`,
  );
}

/** Encrypts for these recipients, in memory. */
export async function encryptAge(
  effects: Pick<Effects, "run">,
  { path }: Place,
  recipients: readonly string[],
  plain: Uint8Array,
): Promise<Uint8Array> {
  const finished = await effects.run({
    program: "age",
    args: ["--encrypt", ...recipients.flatMap((one) => ["-r", one])],
    input: plain,
    timeout: 60_000,
  });
  if (finished.code === 0) return finished.stdout;
  throw ageFailure("encrypt", path, finished.stderr);
}

/** Decrypts, in memory. */
export async function decryptAge(
  effects: Pick<Effects, "run">,
  { path }: Place,
  identities: readonly Identity[],
  content: Uint8Array,
): Promise<Uint8Array> {
  const finished = await effects.run({
    program: "age",
    args: [
      "--decrypt",
      ...identities.filter(({ kind }) => kind !== "pgp")
        .flatMap(({ path }) => ["-i", path]),
    ],
    input: content,
    timeout: 60_000,
  });
  if (finished.code === 0) return finished.stdout;
  throw ageFailure("decrypt", path, finished.stderr);
}

function ageFailure(what: string, path: string, stderr: string): SyncError {
  const said = safeLines(stderr)[0] ?? "";
  return new SyncError(
    `Cannot ${what} ${path}: ${oneLine(said.replace(/^age: error: /, ""))}`,
    {
      stage: "secrets",
      reason: "age-failed",
      next: "stop",
      hints: [
        "see who can open it: gitops-sync secrets check FILE",
        "name your own key with --secrets-identities FILE",
      ],
    },
  );
}
