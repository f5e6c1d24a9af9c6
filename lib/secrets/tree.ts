/**
 * The encrypted files of a revision, and those that should be, read from the
 * mirror without a checkout.
 *
 * @module
 */
import { SyncError } from "../base/errors.ts";
import { oneLine } from "../base/text.ts";
import { localGit } from "../git/git.ts";
import { type SopsFormat, sopsFormat } from "./sops/formats.ts";
import {
  type CreationRule,
  readRules,
  ruleFor,
  wantsEncrypted,
} from "./sops/rules.ts";
import type { Run } from "../run/run.ts";
import type { Verified } from "../run/stages.ts";

/** A file of the tree that the check looks at. */
export interface TreeFile {
  path: string;
  /** Git's name for its content. */
  blob: string;
  size: number;
  format: SopsFormat | "age";
  rule?: CreationRule;
  /** Whether the rule is about its place, so that it must be encrypted. */
  expected: boolean;
}

/** What the check looks at in a revision. */
export interface SecretTree {
  files: readonly TreeFile[];
  /** Names all the rules that count in it. */
  rulesName: string;
  /** Configurations of sops that can't be read whole: path and why. */
  badRules: readonly { path: string; why: string }[];
}

interface Entry {
  path: string;
  blob: string;
  size: number;
}

type Mirror = Pick<Verified, "mirror" | "commit">;

/** Finds the files of a revision that are encrypted, or should be. */
export async function secretTree(
  run: Run,
  verified: Mirror,
): Promise<SecretTree> {
  const entries = await listTree(run, verified);
  const configs = entries.filter(({ path }) =>
    /(^|\/)\.sops\.yaml$/.test(path)
  );
  const texts = await readBlobs(run, verified.mirror, configs);
  const rules = configs.map(({ path }, i) => ({
    path,
    folder: path.slice(0, -".sops.yaml".length),
    ...readRules(new TextDecoder().decode(texts[i])),
  })).sort((a, b) => b.folder.length - a.folder.length);
  const marked = await markedFiles(run, verified);
  const ignored = run.config["secrets.ignore"];
  const files = entries.flatMap((entry): TreeFile[] => {
    const { path } = entry;
    if (ignored.some((one) => isWithin(path, one))) return [];
    const isAge = path.endsWith(".age") || marked.get(path) === "age";
    // The nearest one above it counts.
    const near = rules.find(({ folder }) => path.startsWith(folder));
    const rule = near && !isAge
      ? ruleFor(near.rules, path.slice(near.folder.length))
      : undefined;
    const expected = rule !== undefined && wantsEncrypted(rule, path);
    if (!isAge && !marked.has(path) && !expected) return [];
    const format = isAge ? "age" : sopsFormat(path);
    return [{ ...entry, format, expected, ...(rule ? { rule } : {}) }];
  });
  return {
    files,
    rulesName: configs.map(({ path, blob }) => `${path} ${blob}`).join("\n"),
    badRules: rules.flatMap(({ path, why }) =>
      why === undefined ? [] : [{ path, why }]
    ),
  };
}

/** Whether a path is `folder` or lies in it. */
function isWithin(path: string, folder: string): boolean {
  const name = folder.replace(/^\.\//, "").replace(/\/+$/, "");
  return path === name || path.startsWith(`${name}/`);
}

/** All regular files of the revision (git-ls-tree(1), "OUTPUT FORMAT"). */
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
  if (finished.code !== 0) throw unreadable(finished.stderr);
  return new TextDecoder().decode(finished.stdout).split("\0").flatMap(
    (line) => {
      const [, type, blob, size, path] =
        /^(\d+) \w+ (\S+) +(\S+)\t([^]+)$/.exec(line) ?? [];
      const isFile = type === "100644" || type === "100755";
      return isFile ? [{ path: path!, blob: blob!, size: Number(size) }] : [];
    },
  );
}

/** The files that look encrypted, with what they look like. */
async function markedFiles(
  run: Run,
  { mirror, commit }: Mirror,
): Promise<Map<string, "sops" | "age">> {
  const found = new Map<string, "sops" | "age">();
  const age = await grep(run, mirror, commit.revision, [
    "^age-encryption\\.org/v1",
    "^[[:space:]]*-----BEGIN AGE ENCRYPTED FILE-----",
  ]);
  const sops = await grep(run, mirror, commit.revision, [
    "ENC\\[AES256_GCM,",
  ]);
  for (const path of sops) found.set(path, "sops");
  for (const path of age) if (!found.has(path)) found.set(path, "age");
  return found;
}

async function grep(
  run: Run,
  mirror: string,
  revision: string,
  patterns: readonly string[],
): Promise<string[]> {
  const finished = await run.effects.run(localGit(mirror, [
    "grep",
    "--name-only",
    "--null",
    "--text",
    "--basic-regexp",
    ...patterns.flatMap((pattern) => ["-e", pattern]),
    revision,
    "--",
  ]));
  // 1: nothing was found.
  if (finished.code > 1) throw unreadable(finished.stderr);
  return new TextDecoder().decode(finished.stdout).split("\0").slice(0, -1)
    .map((name) => name.slice(revision.length + 1));
}

/** Reads many contents with one process (git-cat-file(1), "BATCH OUTPUT"). */
export async function readBlobs(
  run: Run,
  mirror: string,
  entries: readonly Pick<Entry, "blob">[],
): Promise<Uint8Array[]> {
  if (entries.length === 0) return [];
  const input = entries.map(({ blob }) => `${blob}\n`).join("");
  const finished = await run.effects.run(localGit(mirror, [
    "cat-file",
    "--batch",
  ], { input: new TextEncoder().encode(input) }));
  const all = finished.stdout;
  const blobs: Uint8Array[] = [];
  for (let at = 0; at < all.length;) {
    const end = all.indexOf(0x0a, at);
    const head = new TextDecoder().decode(all.subarray(at, end)).split(" ");
    const size = Number(head.at(-1));
    blobs.push(all.subarray(end + 1, end + 1 + size));
    at = end + 1 + size + 1;
  }
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
