/**
 * Finds the files of a revision that are or should be encrypted, in the mirror
 * and without a checkout.
 *
 * @module
 */
import { SyncError } from "../base/errors.ts";
import { count, oneLine } from "../base/text.ts";
import { contentsCommand, contentsIn } from "../git/contents.ts";
import { localGit } from "../git/git.ts";
import type { Reader } from "./reading/reader.ts";
import { type TreeRules, treeRules } from "./reading/rules_for.ts";
import type { CreationRule } from "./sops/rules.ts";
import type { Run } from "../run/run.ts";
import type { Verified } from "../run/stages.ts";

/** A file of the tree that is checked. */
export interface TreeFile {
  path: string;
  /** Git's hash of its content. */
  blob: string;
  size: number;
  /** Whether it is an age file; otherwise it is a sops file. */
  isAge: boolean;
  rule?: CreationRule;
  /**
   * Whether the rule is specific to its place, so that it must be encrypted.
   */
  expected: boolean;
}

/** The files of a revision that are checked. */
export interface SecretTree {
  files: readonly TreeFile[];
  /** Identifies all rules that apply to it. */
  rulesName: string;
  /** Configurations of sops that can't be read completely: path and why. */
  badRules: readonly { path: string; why: string }[];
}

interface Entry {
  path: string;
  blob: string;
  size: number;
}

type Mirror = Pick<Verified, "mirror" | "commit">;

/**
 * Finds the files of a revision that are encrypted, or should be.
 *
 * @param reader Reads its rules.
 */
export async function secretTree(
  run: Run,
  verified: Mirror,
  reader: Reader,
): Promise<SecretTree> {
  const entries = await listTree(run, verified);
  const isRules = ({ path }: Entry) => /(^|\/)\.sops\.yaml$/.test(path);
  const small = entries.filter((entry) =>
    isRules(entry) && entry.size <= largestRules
  );
  const badRules = entries.filter((entry) =>
    isRules(entry) && entry.size > largestRules
  ).map(({ path }) => ({ path, why: "it is longer than 1 MiB" }));
  const ruled = await rulesOf(run, verified.mirror, reader, small, entries);
  const marked = await markedFiles(run, verified, entries);
  const ignored = run.config["secrets.ignore"];
  const files = entries.flatMap((entry, i): TreeFile[] => {
    const { path } = entry;
    if (ignored.some((one) => isWithin(path, one))) return [];
    const isAge = path.endsWith(".age") || marked.get(path) === "age";
    const rule = isAge ? undefined : ruled?.rules[ruled.of[i]!];
    const expected = rule !== undefined && ruled?.expected[i] === 1;
    if (!isAge && !marked.has(path) && !expected) return [];
    return [{ ...entry, isAge, expected, ...(rule ? { rule } : {}) }];
  });
  return {
    files,
    rulesName: ruled
      ? small.map(({ path, blob }) => `${path} ${blob}`).join("\n")
      : "unread",
    badRules: [
      ...badRules,
      ...(ruled?.bad ?? []).map(({ folder, why }) => ({
        path: `${folder}.sops.yaml`,
        why,
      })),
      ...(ruled ? [] : [{
        path: `${count(small.length, "file")} called .sops.yaml`,
        why: "reading them takes too long",
      }]),
    ],
  };
}

/** A `.sops.yaml` of that size has some ten thousand rules. */
const largestRules = 1024 * 1024;

/** @returns `undefined` if reading the rules takes too long. */
async function rulesOf(
  run: Run,
  mirror: string,
  reader: Reader,
  configs: readonly Entry[],
  entries: readonly Entry[],
): Promise<TreeRules | undefined> {
  // Identical rules in many folders are read once.
  const blobs = new Map(configs.map((entry) => [entry.blob, entry]));
  const contents = await readBlobs(run, mirror, [...blobs.values()]);
  const texts = new Map(
    [...blobs.keys()].map((
      blob,
      i,
    ) => [blob, new TextDecoder().decode(contents[i])]),
  );
  const files = configs.map(({ path, blob }) => ({
    folder: path.slice(0, -".sops.yaml".length),
    text: texts.get(blob)!,
  }));
  if (files.length === 0) return treeRules([], []);
  return await reader.rules(files, entries.map(({ path }) => path));
}

/** Whether a path is `folder` or lies in it. */
function isWithin(path: string, folder: string): boolean {
  const name = folder.replace(/^\.\//, "").replace(/\/+$/, "");
  return path === name || path.startsWith(`${name}/`);
}

/**
 * Lists all regular files of the revision (git-ls-tree(1), "OUTPUT FORMAT").
 */
async function listTree(
  run: Run,
  { mirror, commit }: Mirror,
): Promise<Entry[]> {
  const finished = await run.effects.run(localGit(mirror, [
    "ls-tree",
    "-r",
    "-l",
    "-z",
    "--full-tree",
    commit.revision,
  ]));
  // The last name must be complete, and the tree of a flake is never empty.
  const isWhole = finished.code === 0 && finished.stdout.at(-1) === 0;
  if (!isWhole) throw unreadable(finished.stderr);
  return new TextDecoder().decode(finished.stdout).split("\0").flatMap(
    (line) => {
      const [, type, blob, size, path] =
        /^(\d+) \w+ (\S+) +(\S+)\t([^]+)$/.exec(line) ?? [];
      // Old programs wrote other permissions (100664), too.
      const isFile = type?.startsWith("100");
      return isFile ? [{ path: path!, blob: blob!, size: Number(size) }] : [];
    },
  );
}

/** Patterns of lines in encrypted files (basic regular expressions). */
const marks = {
  age: [
    "^age-encryption\\.org/v1",
    "^[[:space:]]*-----BEGIN AGE ENCRYPTED FILE-----",
  ],
  sops: ["ENC\\[AES256_GCM,"],
} as const;

/**
 * Finds the files that look encrypted, with their kind.
 *
 * The exit code of `git grep` and an empty answer prove nothing: a Git that was
 * killed, or that could not read a file, has the same result. So Git must name
 * each file: as age, as sops, or as neither.
 *
 * @param entries All files of the revision.
 * @throws {SyncError} `mirror-unreadable` if Git did not search each file.
 */
async function markedFiles(
  run: Run,
  { mirror, commit: { revision } }: Mirror,
  entries: readonly Entry[],
): Promise<Map<string, "sops" | "age">> {
  const grep = (option: string, ...patterns: readonly string[]) =>
    filesFound(run, mirror, revision, option, patterns);
  const age = await grep("--files-with-matches", ...marks.age);
  const sops = await grep("--files-with-matches", ...marks.sops);
  const all = [...marks.age, ...marks.sops];
  const neither = await grep("--files-without-match", ...all);
  const seen = new Set([...age, ...sops, ...neither]);
  const unseen = entries.filter(({ path }) => !seen.has(path));
  if (unseen.length > 0) {
    const names = unseen.slice(0, 3).map(({ path }) => oneLine(path, 100));
    throw unreadable(
      `git grep did not look into ${count(unseen.length, "file")}: ${
        names.join(", ")
      }`,
    );
  }
  const found = new Map<string, "sops" | "age">();
  for (const path of sops) found.set(path, "sops");
  for (const path of age) if (!found.has(path)) found.set(path, "age");
  return found;
}

/** Returns the paths that `git grep` finds; its exit code 1 means none. */
async function filesFound(
  run: Run,
  mirror: string,
  revision: string,
  option: string,
  patterns: readonly string[],
): Promise<string[]> {
  const finished = await run.effects.run(localGit(mirror, [
    "grep",
    option,
    "--null",
    "--text",
    "--basic-regexp",
    ...patterns.flatMap((pattern) => ["-e", pattern]),
    revision,
    "--",
  ]));
  if (finished.code > 1) throw unreadable(finished.stderr);
  return new TextDecoder().decode(finished.stdout).split("\0").slice(0, -1)
    .map((name) => name.slice(revision.length + 1));
}

/** Reads the content of many files with one process. */
export async function readBlobs(
  run: Run,
  mirror: string,
  entries: readonly Pick<Entry, "blob" | "size">[],
): Promise<Uint8Array[]> {
  if (entries.length === 0) return [];
  const most = entries.reduce((sum, { size }) => sum + size + 100, 0);
  const finished = await run.effects.run(
    contentsCommand(mirror, entries.map(({ blob }) => blob), { most }),
  );
  const blobs = contentsIn(finished).filter((blob) => blob !== undefined);
  if (blobs.length === entries.length) return blobs;
  throw unreadable(finished.stderr);
}

function unreadable(stderr: string): SyncError {
  return new SyncError("Cannot read the encrypted files from the mirror", {
    stage: "secrets",
    reason: "mirror-unreadable",
    next: "retry",
    details: [oneLine(stderr)],
  });
}
