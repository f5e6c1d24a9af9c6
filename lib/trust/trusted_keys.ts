/**
 * Which keys count for a commit: those of files on this host, or those that
 * the repository held before that commit.
 *
 * @module
 */
import { SyncError } from "../base/errors.ts";
import { formatSize } from "../base/size.ts";
import { oneLine } from "../base/text.ts";
import { localGit } from "../git/git.ts";
import { type KeyFile, keysError } from "../keys/key_file.ts";
import { type KeySet, makeKeyring } from "./keyring.ts";
import type { Keyring } from "./signature.ts";
import type { Run } from "../run/run.ts";

/** More than any set of people needs. */
const mostBytes = 4 * 2 ** 20;

/** Of all that Git tells at once for the check of signatures. */
const mostText = 64 * 2 ** 20;

/** The keyrings of one run, made when they are needed; goes with the run. */
export class Keyrings implements AsyncDisposable {
  readonly #folder: string;
  readonly #made = new Map<string, Promise<Keyring>>();

  private constructor(readonly run: Run, readonly mirror: string) {
    this.#folder = `${run.folder}/keyrings`;
  }

  /** Makes an empty place for them; a run that was cut off left its own. */
  static async make(run: Run, mirror: string): Promise<Keyrings> {
    const keyrings = new Keyrings(run, mirror);
    await keyrings[Symbol.asyncDispose]();
    await Deno.mkdir(keyrings.#folder, { mode: 0o700 });
    return keyrings;
  }

  /**
   * The keyring of a set.
   *
   * @param tree What {@linkcode keyTrees} gives for a revision: the folder of
   * keys in it; none: the files of this host.
   */
  of(tree: string | undefined): Promise<Keyring> {
    const name = tree ?? "host";
    const known = this.#made.get(name);
    if (known) return known;
    const made = this.#make(name, tree);
    this.#made.set(name, made);
    return made;
  }

  async #make(name: string, tree: string | undefined): Promise<Keyring> {
    const { run, mirror } = this;
    const keys = tree === undefined
      ? hostKeys(run)
      : await keysIn(run, mirror, tree);
    return await makeKeyring(run.effects, `${this.#folder}/${name}`, keys);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await Deno.remove(this.#folder, { recursive: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/** The keys in the files that the configuration names. */
function hostKeys({ config }: Run): KeySet {
  const signers = config["verify.allowedSigners"];
  return {
    ssh: signers === undefined ? [] : [readKeyFile(signers)],
    openpgp: config["verify.openpgpKeys"].map(readKeyFile),
    ...revokedKeys(config["verify.revokedKeys"]),
  };
}

/** A person of this host revokes, whoever keeps the keys. */
function revokedKeys(path: string | undefined): Pick<KeySet, "revoked"> {
  return path === undefined ? {} : { revoked: readKeyFile(path) };
}

/** Reads a file that nobody but its owner or root could have written. */
function readKeyFile(where: string): KeyFile {
  try {
    const { isFile, size, mode, uid } = Deno.statSync(where);
    if (!isFile) throw keysError("keys-broken", `${where} is not a file`);
    if (size > mostBytes) {
      throw keysError("keys-broken", `${where} is too large`);
    }
    if (size === 0) throw keysError("keys-empty", `${where} is empty`);
    const isOurs = uid === 0 || uid === Deno.uid();
    if (!isOurs || (mode! & 0o022) !== 0) {
      throw keysError(
        "keys-unsafe",
        `others than root may write to ${where} (chown root, chmod go-w)`,
      );
    }
    return { where, bytes: Deno.readFileSync(where) };
  } catch (error) {
    if (error instanceof SyncError) throw error;
    const why = error instanceof Deno.errors.NotFound
      ? "there is no such file"
      : (error as Error).message;
    throw keysError("keys-missing", `${where} can't be read: ${why}`);
  }
}

/** The keys in a folder of the repository: plain files, no links. */
async function keysIn(
  run: Run,
  mirror: string,
  tree: string,
): Promise<KeySet> {
  const listed = await git(run, mirror, ["ls-tree", "-z", tree]);
  const files = new TextDecoder().decode(listed).split("\0").flatMap((line) => {
    const [, id, name] = /^100(?:644|755) blob (\w+)\t(.*)$/s.exec(line) ?? [];
    return id === undefined ? [] : [{ id, name: name! }];
  });
  const read = async (wanted: typeof files): Promise<KeyFile[]> => {
    const all: KeyFile[] = [];
    for (const { id, name } of wanted) {
      const bytes = await git(run, mirror, ["cat-file", "blob", id]);
      const where = `${run.config["verify.keysFrom"]}/${oneLine(name, 80)}`;
      all.push({ where, bytes });
    }
    return all;
  };
  return {
    ssh: await read(files.filter(({ name }) => name === "allowed_signers")),
    openpgp: await read(files.filter(({ name }) => /\.(asc|gpg)$/.test(name))),
    ...revokedKeys(run.config["verify.revokedKeys"]),
  };
}

/**
 * The folder of keys in each of some revisions, by its tree's hash; none where
 * a revision has no such folder, or the repository is not to hold the keys.
 */
export async function keyTrees(
  run: Run,
  mirror: string,
  revisions: readonly string[],
): Promise<Map<string, string>> {
  const folder = run.config["verify.keysFrom"];
  if (folder === "" || revisions.length === 0) return new Map();
  const names = revisions.map((revision) => `${revision}:${folder}\n`).join("");
  const output = await git(
    run,
    mirror,
    ["cat-file", "--batch-check=%(objecttype) %(objectname)"],
    names,
  );
  const lines = new TextDecoder().decode(output).split("\n");
  return new Map(revisions.flatMap((revision, i) => {
    const tree = /^tree (\w+)$/.exec(lines[i] ?? "")?.[1];
    return tree === undefined ? [] : [[revision, tree]];
  }));
}

/** Runs a Git command on the mirror that must succeed. */
export async function git(
  run: Run,
  mirror: string,
  args: readonly string[],
  input?: string,
): Promise<Uint8Array> {
  const finished = await run.effects.run(localGit(mirror, args, {
    most: mostText,
    ...(input === undefined ? {} : { input: new TextEncoder().encode(input) }),
  })).catch((error) => {
    throw isTooLarge(error) ? tooLong() : error;
  });
  if (finished.code === 0) return finished.stdout;
  const { lastWords } = await import("../base/text.ts");
  throw new SyncError(`Cannot check signatures: git ${args[0]} failed`, {
    stage: "verify",
    reason: "git-failed",
    next: "retry",
    details: lastWords(finished),
  });
}

function isTooLarge(error: unknown): boolean {
  return error instanceof SyncError && error.reason === "output-too-large";
}

function tooLong(): SyncError {
  return new SyncError(
    `Refused: a commit, a tag, or the trusted keys have more than ${
      formatSize(mostText)
    }`,
    {
      stage: "verify",
      reason: "too-large",
      next: "hold",
      hints: [
        "nothing of the revision was evaluated, and the host is as it was",
        "look in a clone for what is so large: git cat-file --batch-check --batch-all-objects",
      ],
    },
  );
}
