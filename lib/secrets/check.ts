/**
 * Proves, before anything is built, that this host can decrypt what the
 * repository encrypts for it.
 *
 * @module
 */
import { exists } from "@std/fs";
import { say } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { count, short } from "../base/text.ts";
import { runningSystem } from "../host/system.ts";
import { formatSize } from "../base/size.ts";
import {
  endAgents,
  type Identity,
  readIdentity,
  usualIdentities,
} from "./identities.ts";
import type { Keys } from "./sops/sops.ts";
import { identityPaths, installedSecrets } from "./installed.ts";
import { KeyFiles } from "./key_files.ts";
import type { Run } from "../run/run.ts";
import { entryOf, fingerprintOf, SecretMemory } from "./memory.ts";
import { type Answer, judgeFile } from "./opening.ts";
import { type Problem, problemsFailure } from "./problems.ts";
import { Reader } from "./reading/reader.ts";
import {
  readBlobs,
  type SecretTree,
  secretTree,
  type TreeFile,
} from "./tree.ts";
import { Readable, type Verified } from "../run/stages.ts";

/** How many bytes are read from the mirror at once. */
const atOnce = 64 * 1024 * 1024;

/**
 * Opens every sops and age file of the revision that names this host.
 *
 * @throws {SyncError} exit 5, with every file that does not open:
 * `secrets-unreadable`, or `vault-…` if Vault may be available in a later run.
 */
export async function checkSecrets(
  run: Run,
  verified: Verified,
): Promise<Readable> {
  const result = { ...verified, done: "readable" as const };
  const none = { ...result, opened: 0, foreign: 0 };
  if (!run.config["secrets.check"]) return none;
  const deadline = deadlineOf(run);
  using reader = new Reader(deadline);
  const tree = await secretTree(run, verified, reader);
  if (tree.files.length === 0) return none;
  for (const { path, why } of tree.badRules) {
    say(run.effects, "warning", `Cannot read ${path}: ${why}`, [
      "its rules are not checked",
    ]);
  }
  const { keys, unusable } = await readKeys(run, await identitiesNamed(run));
  reportUnusable(run, unusable);
  const answers = await judgeTree(run, keys, verified.mirror, tree, {
    reader,
    deadline,
  });
  const problems: Problem[] = [];
  const notes: Problem[] = [];
  for (const answer of answers) {
    if (answer.kind === "problem") problems.push(answer.problem);
    if (answer.kind === "foreign" && answer.note) notes.push(answer.note);
  }
  reportNotes(run, notes);
  if (problems.length > 0) {
    const what = short(verified.commit.revision);
    throw problemsFailure(
      problems,
      { identities: keys.identities, lacksKey: unusable.length > 0 },
      "secrets",
      what,
    );
  }
  const number = (kind: Answer["kind"]) =>
    answers.filter((answer) => answer.kind === kind).length;
  if (keys.identities.length === 0 && number("foreign") > 0) {
    warnNoIdentity(run, number("foreign"));
  }
  return { ...result, opened: number("opened"), foreign: number("foreign") };
}

/**
 * Returns the key files for the check of the tree: before the build, those of
 * the running system.
 */
async function identitiesNamed(run: Run): Promise<readonly string[]> {
  const named = run.config["secrets.identities"];
  if (named) return named;
  const running = runningSystem();
  const paths = running ? identityPaths(await installedSecrets(running)) : [];
  const all = new Set([...paths, ...usualIdentities]);
  const there = await Promise.all([...all].map(exists));
  return [...all].filter((_, i) => there[i]);
}

/**
 * Reads the host's identities. Continues after one that can't be read, because
 * another may open everything.
 */
export async function readKeys(
  run: Run,
  paths: readonly string[],
): Promise<{ keys: Keys; unusable: Problem[] }> {
  const unusable: Problem[] = [];
  const read = await inParallel(paths, async (path) => {
    try {
      return await readIdentity(run.effects, path);
    } catch (error) {
      const { reason, message, hints } = error as SyncError;
      if (reason !== "identity-unreadable") throw error;
      const why = message.replace(/^.*?: /, "");
      unusable.push({ file: path, reason, why, fix: hints[0]! });
      return undefined;
    }
  });
  const identities = read.filter((one): one is Identity => one !== undefined)
    // After the failure of a plugin, age does not try the remaining keys.
    .toSorted((a, b) => Number(!!a.plugins) - Number(!!b.plugins));
  const address = run.config["vault.address"];
  const vault = address && { address, socket: run.config["vault.socket"] };
  return { keys: { identities, ...(vault ? { vault } : {}) }, unusable };
}

/** What checking files needs besides the files. */
interface Bounds {
  reader: Reader;
  /** Returns the remaining milliseconds. */
  deadline: () => number;
}

async function judgeTree(
  run: Run,
  keys: Keys,
  mirror: string,
  { files, rulesName }: SecretTree,
  { reader, deadline }: Bounds,
): Promise<Answer[]> {
  const memory = new SecretMemory(run.folder);
  const by = fingerprintOf(keys);
  const most = run.config["limits.secrets"];
  const entries = await Promise.all(
    files.map(({ path, blob, isAge }) =>
      entryOf("tree", path, blob, isAge ? "age" : "sops", rulesName, by)
    ),
  );
  const answers = files.map(({ path, size }, i): Answer | undefined => {
    const known = memory.get(entries[i]!);
    if (known === "opened") {
      return { kind: "opened", remember: true, format: "binary" };
    }
    if (known === "foreign") return { kind: "foreign", remember: true };
    return size > most ? tooLarge(path, size, most) : undefined;
  });
  const open = files.map((file, i) => ({ file, i }))
    .filter(({ i }) => answers[i] === undefined);
  await using keyFiles = new KeyFiles();
  const withFile = open.length > 0 ? await keyFiles.with(keys) : keys;
  for (const some of portions(open)) {
    const contents = await readBlobs(
      run,
      mirror,
      some.map(({ file }) => file),
    );
    await inParallel(some, async ({ file, i }, at) => {
      const { path, isAge, blob, rule, expected } = file;
      const given = {
        name: path,
        bytes: contents[at]!,
        expected,
        ...(isAge ? { format: "age" as const } : {}),
        ...(rule ? { rule } : {}),
      };
      const { effects } = run;
      const answer = await judgeFile(
        effects,
        withFile,
        given,
        deadline(),
        reader.facts,
      );
      answers[i] = answer;
      if (answer.kind === "opened" && answer.remember) {
        const { format } = answer;
        memory.add(entries[i]!, "opened");
        memory.add(await entryOf("content", blob, format, by), "opened");
      } else if (answer.kind === "foreign" && answer.remember) {
        memory.add(entries[i]!, "foreign");
      }
    });
  }
  await endAgents(run.effects, keys.identities);
  await memory.save();
  return answers as Answer[];
}

/**
 * Returns a function for the time that the next file may take, within the time
 * for all files.
 */
export function deadlineOf(run: Run): () => number {
  const now = () => run.effects.monotonic();
  const end = now() + run.config["timeouts.secrets"];
  return () => Math.max(1, Math.min(60_000, end - now()));
}

/** Yields as many files at a time as fit into memory. */
function* portions<T extends { file: TreeFile }>(
  items: readonly T[],
): Generator<T[]> {
  let portion: T[] = [];
  let bytes = 0;
  for (const item of items) {
    if (bytes + item.file.size > atOnce && portion.length > 0) {
      yield portion;
      portion = [];
      bytes = 0;
    }
    portion.push(item);
    bytes += item.file.size;
  }
  if (portion.length > 0) yield portion;
}

/**
 * Returns the answer for a file that is too large. Its recipients are unknown;
 * `prove` refuses a system that installs it.
 */
function tooLarge(file: string, size: number, most: number): Answer {
  const note = {
    file,
    reason: "too-large" as const,
    why: `it was not checked: it has ${
      formatSize(size)
    }, and limits.secrets is ${formatSize(most)}`,
    fix: "raise limits.secrets, or list the file in secrets.ignore",
  };
  return { kind: "foreign", remember: false, note };
}

/** Reports identities that are configured or guessed, and can't be used. */
function reportUnusable(run: Run, unusable: readonly Problem[]): void {
  for (const { file, why, fix } of unusable) {
    const level = run.config["secrets.identities"] ? "warning" : "info";
    say(run.effects, level, `Skipped the identity ${file}: ${why}`, [fix]);
  }
}

function reportNotes(run: Run, notes: readonly Problem[]): void {
  if (notes.length === 0) return;
  run.effects.tell({
    kind: "message",
    level: "warning",
    text: `Skipped ${
      count(notes.length, "file")
    } with problems: nothing shows that ${
      notes.length === 1 ? "it is" : "they are"
    } for this host`,
    details: notes.map(({ file, reason, why }) =>
      `${file} [${reason}]: ${why}`
    ),
  });
}

function warnNoIdentity(run: Run, files: number): void {
  say(
    run.effects,
    "warning",
    `The repository has ${
      count(files, "encrypted file")
    }, but this host has no age or SSH identity to open them with`,
    ["create one with: sudo gitops-sync secrets keygen"],
  );
}

/** Runs work for each item, with as many at once as there are processors. */
export async function inParallel<T, R>(
  items: readonly T[],
  work: (item: T, at: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const worker = async () => {
    for (const [i, item] of queue) results[i] = await work(item, i);
  };
  const workers = Math.min(items.length, navigator.hardwareConcurrency);
  await Promise.all(Array.from({ length: workers }, worker));
  return results;
}
