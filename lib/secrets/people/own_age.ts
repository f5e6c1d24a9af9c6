/**
 * age files of agenix: `secrets.nix` names their recipients.
 *
 * @module
 */
import { dirname, join, relative, resolve } from "@std/path";
import type { Effects } from "../../base/effects.ts";
import { SyncError, usageError } from "../../base/errors.ts";
import { oneLine, safeLines } from "../../base/text.ts";
import type { Identity } from "../identities.ts";
import { nearest, type Place } from "./checkout.ts";
import { isMap } from "../sops/formats.ts";

/**
 * The recipients of each file, by its path from the folder of `secrets.nix`.
 */
export type AgeRules = ReadonlyMap<string, readonly string[]>;

/**
 * Evaluates a `secrets.nix`. It may only read its checkout: it is somebody's
 * code, and could send away any file.
 *
 * @param allowed The folder that it may read.
 * @throws {SyncError} `rules-wrong`, exit 2.
 */
export async function readAgeRules(
  effects: Pick<Effects, "run">,
  file: string,
  allowed: string,
): Promise<AgeRules> {
  const finished = await effects.run({
    program: "nix-instantiate",
    args: [
      "--eval",
      "--strict",
      "--json",
      // It needs no store, and must not write to one.
      "--store",
      "dummy://",
      // nix.conf(5). Paths after -I and in NIX_PATH may be read.
      ...["--option", "restrict-eval", "true"],
      ...["--option", "allowed-uris", ""],
      ...["--option", "allow-unsafe-native-code-during-evaluation", "false"],
      ...["-I", `checkout=${allowed}`],
      file,
    ],
    env: { NIX_PATH: "" },
    timeout: 60_000,
  });
  const wrong = (why: string, ...details: string[]) =>
    new SyncError(`Cannot use ${file}: ${why}`, {
      stage: "config",
      reason: "rules-wrong",
      next: "stop",
      details,
      hints: [
        `write lines such as "db.age".publicKeys = [ web ]; the file may only read the checkout`,
      ],
    });
  if (finished.code !== 0) {
    const lines = safeLines(finished.stderr).slice(-6);
    throw wrong("it does not evaluate", ...lines);
  }
  const rules: unknown = JSON.parse(new TextDecoder().decode(finished.stdout));
  if (!isMap(rules)) throw wrong("it is not a set of files");
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

/**
 * Finds the `secrets.nix` for a file: the one in `RULES`, as for agenix, or
 * else the nearest one in its folder or above.
 *
 * @returns its path from the top of the checkout.
 */
export async function nearestAgeRules(
  place: Place,
): Promise<string | undefined> {
  const named = Deno.env.get("RULES");
  if (named) {
    const path = await Deno.realPath(named).catch(() => resolve(named));
    const inside = relative(place.top, path);
    if (!inside.startsWith("..")) return inside;
  }
  return await nearest(place, "secrets.nix");
}

/**
 * Returns the path of a file in the rules. It begins at the folder of the
 * rules; with `RULES` it may also begin at the top, as for agenix.
 */
export function pathIn(rules: AgeRules, file: string, path: string): string {
  const near = relative(dirname(file), path);
  const isNamed = Deno.env.get("RULES") && !rules.has(near) && rules.has(path);
  return isNamed ? path : near;
}

/** Returns the recipients in the rules for a file. */
export function ruledIn(
  rules: AgeRules,
  file: string,
  path: string,
): readonly string[] | undefined {
  return rules.get(pathIn(rules, file, path));
}

/** Returns a key such as `ssh-ed25519 AAAA… root@web` without its comment. */
export function withoutComment(key: string): string {
  return key.trim().split(/\s+/).slice(0, key.startsWith("ssh-") ? 2 : 1)
    .join(" ");
}

/** Returns the recipients of a file. */
export async function ageRecipientsOf(
  effects: Pick<Effects, "run">,
  place: Place,
): Promise<readonly string[]> {
  const rules = await nearestAgeRules(place);
  const found = rules === undefined ? undefined : ruledIn(
    await readAgeRules(effects, join(place.top, rules), place.top),
    rules,
    place.path,
  );
  if (found && found.length > 0) return found;
  throw usageError(
    "no-rules",
    `Cannot find the recipients of ${place.path}: no secrets.nix names it`,
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
        "use your own key with --secrets-identities FILE",
      ],
    },
  );
}
