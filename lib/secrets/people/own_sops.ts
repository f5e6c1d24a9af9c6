/**
 * sops as a person uses it, on a copy of the file. The result replaces the file
 * at once, or not at all.
 *
 * sops chooses a rule of `.sops.yaml` by the file's path relative to it, so the
 * copy has the same path relative to a copy of `.sops.yaml`.
 *
 * @module
 */
import { dirname, join, relative } from "@std/path";
import { exists } from "@std/fs";
import type { Command, Finished } from "../../base/effects.ts";
import { SyncError, usageError } from "../../base/errors.ts";
import { guide } from "../../base/guide.ts";
import { oneLine, safeLines } from "../../base/text.ts";
import type { Identity } from "../identities.ts";
import { nearest, type Place } from "./checkout.ts";
import type { MemoryFolder } from "../../host/memory_files.ts";

/** A copy to work on. */
export interface Copy {
  /** The path of the copy; it exists if the original does. */
  file: string;
  /** The same path, relative to the folder. */
  name: string;
  /** The copy of `.sops.yaml`. */
  config: string;
}

/**
 * Copies a file, still encrypted, and its `.sops.yaml`.
 *
 * @param folder An empty folder for the copies.
 * @param rules Replaces the text of `.sops.yaml`.
 * @throws {SyncError} `no-rules`, exit 2.
 */
export async function copyOf(
  place: Place,
  folder: MemoryFolder,
  rules?: string,
): Promise<Copy> {
  const config = await nearest(place, ".sops.yaml");
  if (config === undefined) {
    throw usageError(
      "no-rules",
      `Cannot find the recipients of ${place.path}: there is no .sops.yaml above it`,
      `write one with the public keys of those who may read it: ${
        guide("secrets.md")
      } shows how`,
    );
  }
  const name = relative(dirname(config), place.path);
  await folder.write(
    ".sops.yaml",
    rules === undefined
      ? await Deno.readFile(join(place.top, config))
      : new TextEncoder().encode(rules),
  );
  await folder.prepare(name);
  const original = join(place.top, place.path);
  if (await exists(original)) {
    await folder.write(name, await Deno.readFile(original));
  }
  return {
    name,
    file: join(folder.path, name),
    config: join(folder.path, ".sops.yaml"),
  };
}

/** Returns a command of sops on a copy. */
export function sopsCommand(
  copy: Copy,
  identities: readonly Identity[],
  folder: string,
  ...words: string[]
): Command {
  return {
    program: "sops",
    args: [`--config=${copy.config}`, ...words, copy.file],
    env: environment(identities, folder),
    cwd: dirname(copy.config),
    timeout: 10 * 60_000,
  };
}

/**
 * Returns the environment that sops would have if the person ran it, and the
 * keys of the host if the person named none.
 */
function environment(
  identities: readonly Identity[],
  folder: string,
): Record<string, string> {
  const own = Deno.env.toObject();
  const path = (kind: Identity["kind"]) =>
    identities.find((identity) => identity.kind === kind)?.path;
  const [age, ssh] = [path("age"), path("ssh")];
  return {
    ...(age ? { SOPS_AGE_KEY_FILE: age } : {}),
    ...(ssh ? { SOPS_AGE_SSH_PRIVATE_KEY_FILE: ssh } : {}),
    ...own,
    SOPS_DISABLE_VERSION_CHECK: "1",
    // sops writes decrypted text for an editor to this folder.
    TMPDIR: folder,
  };
}

/** What the exit codes of sops mean (sops, `cmd/sops/codes/codes.go`). */
const meanings: Readonly<Record<number, string>> = {
  25: "a value in it does not decrypt: it was changed by hand or cut off",
  51: "its MAC does not match: it was changed without sops",
  52: "it has no MAC",
  100: "there is no such file",
  203: "it is already encrypted",
};

const isUnencrypted = /sops metadata not found/;

/** Returns the error for a sops that failed. */
export function sopsFailure(
  what: string,
  { path }: Place,
  { code, stderr }: Pick<Finished, "code" | "stderr">,
): SyncError {
  // sops prints the value of a file with a plaintext value.
  const isPlain = /does not match sops' data format/.test(stderr);
  const lines = isPlain ? [] : safeLines(stderr);
  const why = isPlain
    ? "a value in it is not encrypted"
    : isUnencrypted.test(stderr)
    ? "it is not encrypted"
    : meanings[code] ?? oneLine(lines[0] ?? `sops ended with ${code}`, 200);
  return new SyncError(`Cannot ${what} ${path}: ${why}`, {
    stage: "secrets",
    reason: "sops-failed",
    next: "stop",
    details: lines.slice(0, 20),
    hints: hintsFor(code, lines.join(" ")),
  });
}

function hintsFor(code: number, said: string): string[] {
  if (code === 203) return ["change it with: gitops-sync secrets edit FILE"];
  if (isUnencrypted.test(said)) {
    return ["encrypt it with: gitops-sync secrets encrypt FILE"];
  }
  if (/no matching creation rules/.test(said)) {
    return ["add a rule for its path to .sops.yaml"];
  }
  return code === 128 || /get the data key/.test(said)
    ? [
      "see who can open it: gitops-sync secrets check FILE",
      "use your own key with --secrets-identities FILE",
    ]
    : [];
}
