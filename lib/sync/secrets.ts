/**
 * Proves, before anything is built, that this host can decrypt what the
 * repository encrypts for it.
 *
 * @module
 */
import { exists } from "@std/fs";
import { say } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { count, oneLine, short } from "../base/text.ts";
import {
  type Identity,
  isAgeFile,
  openAge,
  type Opened,
  readIdentity,
} from "../tools/age.ts";
import { localGit } from "../tools/git.ts";
import { isSopsFile, namedIdentity, openSops } from "../tools/sops.ts";
import type { Run } from "./run.ts";
import type { Verified } from "./verify.ts";

/** A revision whose secrets this host can read. */
export interface Readable extends Omit<Verified, "done"> {
  readonly done: "readable";
  /** How many encrypted files were opened. */
  readonly opened: number;
  /** How many encrypted files are for others. */
  readonly foreign: number;
}

/** An encrypted file of the tree. */
interface Encrypted {
  path: string;
  bytes: Uint8Array;
  text: string;
}

/** Where NixOS hosts keep their keys, if the configuration names none. */
const usualIdentities = [
  "/etc/ssh/age.key",
  "/var/lib/sops-nix/key.txt",
  "/etc/ssh/ssh_host_ed25519_key",
];

/**
 * Opens every sops and age file of the revision that names this host.
 *
 * @throws {SyncError} `secrets-unreadable`, exit 5, with every file that does
 * not open, and not the first only.
 */
export async function checkSecrets(
  run: Run,
  verified: Verified,
): Promise<Readable> {
  const result = { ...verified, done: "readable" as const };
  if (!run.config["secrets.check"]) return { ...result, opened: 0, foreign: 0 };
  const files = await encryptedFiles(run, verified);
  if (files.length === 0) return { ...result, opened: 0, foreign: 0 };
  const identities = await readIdentities(run);
  if (identities.length === 0) tellNoIdentity(run, files.length);
  const answers = await inParallel(
    files,
    (file) => openFile(run, file, identities),
  );
  const bad = files.flatMap((file, i) => {
    const answer = answers[i]!;
    return answer.ok || answer.foreign ? [] : [`${file.path}: ${answer.why}`];
  });
  if (bad.length > 0) throw unreadable(bad, verified, identities);
  const opened = answers.filter(({ ok }) => ok).length;
  return { ...result, opened, foreign: files.length - opened };
}

async function readIdentities(run: Run): Promise<Identity[]> {
  const named = run.config["secrets.identities"];
  const paths = named ?? await filter(usualIdentities, exists);
  return await inParallel(paths, (path) => readIdentity(run.effects, path));
}

/** All files of the revision that look encrypted, with their content. */
async function encryptedFiles(
  run: Run,
  { mirror, commit }: Verified,
): Promise<Encrypted[]> {
  const found = await run.effects.run(localGit(mirror, [
    "grep",
    "--name-only",
    "--null",
    "--text",
    "--fixed-strings",
    ...["ENC[AES256_GCM,", "age-encryption.org/v1", "BEGIN AGE ENCRYPTED FILE"]
      .flatMap((mark) => ["-e", mark]),
    commit.revision,
    "--",
  ]));
  const names = new TextDecoder().decode(found.stdout).split("\0").slice(0, -1);
  if (names.length === 0) return [];
  const contents = await readBlobs(run, mirror, names);
  return names.map((name, i) => ({
    path: name.slice(commit.revision.length + 1),
    bytes: contents[i]!,
    text: new TextDecoder("latin1").decode(contents[i]!),
  })).filter(({ path, text }) => isAgeFile(text) || isSopsFile(path, text));
}

/** Reads many objects with one process (git-cat-file(1), "BATCH OUTPUT"). */
async function readBlobs(
  run: Run,
  mirror: string,
  names: readonly string[],
): Promise<Uint8Array[]> {
  const finished = await run.effects.run(localGit(mirror, [
    "cat-file",
    "--batch",
    "-z",
  ], { input: new TextEncoder().encode(`${names.join("\0")}\0`) }));
  const all = finished.stdout;
  const blobs: Uint8Array[] = [];
  for (let at = 0; at < all.length;) {
    const end = all.indexOf(0x0a, at);
    const head = new TextDecoder().decode(all.subarray(at, end)).split(" ");
    const size = Number(head.at(-1));
    blobs.push(all.subarray(end + 1, end + 1 + size));
    at = end + 1 + size + 1;
  }
  if (blobs.length === names.length) return blobs;
  throw new SyncError("Cannot read the encrypted files from the mirror", {
    stage: "secrets",
    reason: "mirror-unreadable",
    next: "retry",
    details: [oneLine(finished.stderr)],
  });
}

async function openFile(
  run: Run,
  { path, bytes, text }: Encrypted,
  identities: readonly Identity[],
): Promise<Opened> {
  const others: Opened = { ok: false, foreign: true, why: "for others" };
  if (identities.length === 0) return others;
  if (isAgeFile(text)) return await openAge(run.effects, bytes, identities);
  const identity = namedIdentity(text, identities);
  return identity ? await openSops(run.effects, path, bytes, identity) : others;
}

function tellNoIdentity(run: Run, files: number): void {
  say(
    run.effects,
    "warning",
    `The repository has ${
      count(files, "encrypted file")
    }, but this host has no age or SSH identity to open them with`,
    ["make one with: age-keygen -o /etc/ssh/age.key"],
  );
}

function unreadable(
  bad: string[],
  { commit }: Verified,
  identities: readonly Identity[],
): SyncError {
  return new SyncError(
    `This host can't decrypt ${count(bad.length, "file")} of ${
      short(commit.revision)
    } that it should`,
    {
      stage: "secrets",
      reason: "secrets-unreadable",
      next: "hold",
      details: bad.map((line) => oneLine(line, 300)),
      hints: [
        `this host's identities: ${
          identities.map(({ path }) => path).join(", ")
        }`,
        "mend the file (sops updatekeys FILE, or restore it from Git) and push; nothing was built or changed",
      ],
    },
  );
}

/** Does work for each item, as many at once as there are processors. */
async function inParallel<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const worker = async () => {
    for (const [i, item] of queue) results[i] = await work(item);
  };
  const workers = Math.min(items.length, navigator.hardwareConcurrency);
  await Promise.all(Array.from({ length: workers }, worker));
  return results;
}

async function filter<T>(
  items: readonly T[],
  test: (item: T) => Promise<boolean>,
): Promise<T[]> {
  const kept = await Promise.all(items.map(test));
  return items.filter((_, i) => kept[i]);
}
