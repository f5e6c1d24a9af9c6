/**
 * Holds the common parts of the commands that change secrets.
 *
 * @module
 */
import { join } from "@std/path";
import type { Effects } from "../../base/effects.ts";
import {
  type ExitCode,
  exitCodes,
  SyncError,
  usageError,
} from "../../base/errors.ts";
import { isAgeFile } from "../../secrets/age.ts";
import type { Identity } from "../../secrets/identities.ts";
import { type Place, placeOf } from "../../secrets/people/checkout.ts";
import {
  ageRecipientsOf,
  decryptAge,
  encryptAge,
} from "../../secrets/people/own_age.ts";
import {
  type Copy,
  copyOf,
  sopsCommand,
  sopsFailure,
} from "../../secrets/people/own_sops.ts";
import type { MemoryFolder } from "../../host/memory_files.ts";
import { Reader } from "../../secrets/reading/reader.ts";
import { privateFolder } from "../../host/private_folder.ts";
import { replaceFile } from "../../host/replace.ts";
import { localConfigOf } from "../config.ts";
import { realEffects } from "../output/effects.ts";
import { ownIdentities } from "./identities.ts";
import { printJson } from "../output/json.ts";
import { print } from "../output/print.ts";
import type { Call } from "../call.ts";

/** The tools of a command. */
export interface Work {
  effects: Effects;
  identities: readonly Identity[];
}

/** A file to be written. */
export interface Change {
  place: Place;
  content: Uint8Array;
}

/**
 * Does work on each FILE of a call, and writes the results: all of them, or
 * none after an error.
 *
 * @param did Completes "… FILE" for people, and is the result in JSON.
 */
export async function onFiles(
  call: Call,
  did: string,
  work: (tools: Work, place: Place) => Promise<Uint8Array>,
): Promise<ExitCode> {
  const { name } = call.command;
  if (call.operands.length === 0) {
    throw usageError(
      "file-missing",
      `Cannot run ${name}: expected gitops-sync ${name} FILE…`,
    );
  }
  const config = await localConfigOf(call);
  using effects = await realEffects(call.verbose);
  const identities = await ownIdentities(effects, config);
  const changes: Change[] = [];
  for (const file of call.operands) {
    const place = await placeOf(file);
    const content = await work({ effects, identities }, place);
    changes.push({ place, content });
  }
  await writeAll(changes);
  const files = changes.map(({ place }) => place.path);
  if (call.json) {
    printJson(name, exitCodes.ok, { result: did.toLowerCase(), files });
  } else for (const file of files) print(`${did} ${file}`);
  return exitCodes.ok;
}

/** Writes the files; each is written at once or not at all. */
export async function writeAll(changes: readonly Change[]): Promise<void> {
  for (const { place, content } of changes) {
    await replaceFile(join(place.top, place.path), content);
  }
}

/** Returns the content of a file that must exist. */
export async function contentOf({ top, path }: Place): Promise<Uint8Array> {
  try {
    return await Deno.readFile(join(top, path));
  } catch (error) {
    throw usageError(
      "file-unreadable",
      `Cannot read ${path}: ${(error as Error).message}`,
    );
  }
}

/** Returns whether a file is an age file, by its name or its content. */
export function isAge({ path }: Place, content?: Uint8Array): boolean {
  return path.endsWith(".age") ||
    content !== undefined && isAgeFile(new TextDecoder().decode(content));
}

/**
 * Runs sops on a copy, which never holds plaintext from sops.
 *
 * @param what Completes "Cannot … FILE".
 */
export async function throughSops(
  { effects, identities }: Work,
  place: Place,
  what: string,
  word: "encrypt" | "rotate",
): Promise<Uint8Array> {
  return await onCopy(place, undefined, async (copy, folder) => {
    const command = sopsCommand(copy, identities, folder.path, word);
    const finished = await effects.run(command);
    if (finished.code !== 0) throw sopsFailure(what, place, finished);
    return finished.stdout;
  });
}

/**
 * Encrypts a sops file for the recipients of the rules.
 *
 * @param rules Replaces the current `.sops.yaml`.
 */
export async function rekeySops(
  { effects, identities }: Work,
  place: Place,
  rules?: string,
): Promise<Uint8Array> {
  return await onCopy(place, rules, async (copy, folder) => {
    const words = ["updatekeys", "--yes"];
    const command = sopsCommand(copy, identities, folder.path, ...words);
    const finished = await effects.run(command);
    if (finished.code !== 0) throw sopsFailure("re-key", place, finished);
    return await folder.read(copy.name);
  });
}

/** Runs sops on a copy, and returns the result only if it is encrypted. */
async function onCopy(
  place: Place,
  rules: string | undefined,
  work: (copy: Copy, folder: MemoryFolder) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  await contentOf(place);
  await using folder = await privateFolder();
  const copy = await copyOf(place, folder, rules);
  const content = await work(copy, folder);
  using reader = new Reader();
  const { kind } = await reader.facts({ name: place.path, bytes: content });
  if (kind === "sops") return content;
  throw new SyncError(
    `Cannot use the output of sops for ${place.path}: it is not encrypted`,
    {
      stage: "secrets",
      reason: "sops-failed",
      next: "stop",
      hints: ["Try sops on a copy of the file. The file was not changed."],
    },
  );
}

/** Encrypts an age file again, for its current recipients. */
export async function rekeyAge(
  { effects, identities }: Work,
  place: Place,
  recipients?: readonly string[],
): Promise<Uint8Array> {
  const content = await contentOf(place);
  const whom = recipients ?? await ageRecipientsOf(effects, place);
  if (identities.length === 0) throw noIdentity(place);
  const plain = await decryptAge(effects, place, identities, content);
  return await encryptAge(effects, place, whom, plain);
}

/** Returns the error for a file that no key here can decrypt. */
export function noIdentity({ path }: Place): SyncError {
  return new SyncError(`Cannot decrypt ${path}: no key was found`, {
    stage: "secrets",
    reason: "no-identity",
    next: "stop",
    hints: ["Name your own key: `--secrets-identities FILE`."],
  });
}
