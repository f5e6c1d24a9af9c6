/**
 * The keys that are trusted for a commit: those in files on this host, or those
 * that the repository had before that commit.
 *
 * @module
 */
import type { Command, Finished } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { formatSize } from "../base/size.ts";
import { lastWords, oneLine } from "../base/text.ts";
import { contentsCommand, contentsIn } from "../git/contents.ts";
import { localGit } from "../git/git.ts";
import { type KeyFile, readKeyFile } from "../keys/key_file.ts";
import { type KeySet, makeKeyring } from "./keyring.ts";
import type { Keyring } from "./signature.ts";
import type { Run } from "../run/run.ts";

/** The largest output of Git during the check of signatures. */
const mostText = 64 * 2 ** 20;

/** The keyrings of one run, created on demand and removed after the run. */
export class Keyrings implements AsyncDisposable {
  readonly #folder: string;
  readonly #made = new Map<string, Promise<Keyring>>();

  private constructor(readonly run: Run, readonly mirror: string) {
    this.#folder = `${run.folder}/keyrings`;
  }

  /** Creates an empty folder for them; removes that of an interrupted run. */
  static async make(run: Run, mirror: string): Promise<Keyrings> {
    const keyrings = new Keyrings(run, mirror);
    await keyrings[Symbol.asyncDispose]();
    await Deno.mkdir(keyrings.#folder, { mode: 0o700 });
    return keyrings;
  }

  /**
   * Returns the keyring of a set of keys.
   *
   * @param tree The folder of keys in a revision, from {@linkcode keyTrees};
   * `undefined` for the files of this host.
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

/**
 * Checks that the keys for commits after a revision can be read.
 *
 * @throws {SyncError} exit 4, if they can't be read completely.
 */
export async function keysAreThere(
  run: Run,
  mirror: string,
  revision: string,
): Promise<void> {
  await using keyrings = await Keyrings.make(run, mirror);
  const trees = await keyTrees(run, mirror, [revision]);
  await keyrings.of(trees.get(revision));
}

/** Reads the keys in the files of the configuration. */
function hostKeys({ config }: Run): KeySet {
  const signers = config["verify.allowedSigners"];
  return {
    ssh: signers === undefined ? [] : [readKeyFile(signers)],
    openpgp: config["verify.openpgpKeys"].map(readKeyFile),
    ...revokedKeys(config["verify.revokedKeys"]),
  };
}

/**
 * Revoked keys always come from this host, even if the repository holds the
 * keys.
 */
function revokedKeys(path: string | undefined): Pick<KeySet, "revoked"> {
  return path === undefined ? {} : { revoked: readKeyFile(path) };
}

/**
 * Reads the keys in a folder of the repository: only regular files, no links.
 */
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
 * Returns the tree hash of the folder of keys in each revision. Has no entry if
 * a revision has no such folder, or if the repository does not hold the keys.
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
  const { stdout } = await mustEnd(
    run,
    localGit(mirror, args, {
      ...(input === undefined
        ? {}
        : { input: new TextEncoder().encode(input) }),
    }),
  );
  return stdout;
}

/** How many objects are read at once, so that their total size is limited. */
export const mostAtOnce = 200;

/**
 * Returns the contents of some commits and tags in the mirror, in their order.
 */
export async function contentsOf(
  run: Run,
  mirror: string,
  ids: readonly string[],
): Promise<Uint8Array[]> {
  const command = contentsCommand(mirror, ids);
  const finished = await mustEnd(run, command);
  const contents = contentsIn(finished).filter((one) => one !== undefined);
  if (contents.length !== ids.length) throw failed(command, finished);
  return contents;
}

/** Does the same for objects of which some may be missing. */
export async function contentsIfThere(
  run: Run,
  mirror: string,
  ids: readonly string[],
): Promise<(Uint8Array | undefined)[]> {
  return contentsIn(await mustEnd(run, contentsCommand(mirror, ids)));
}

async function mustEnd(run: Run, command: Command): Promise<Finished> {
  const finished = await run.effects.run({ ...command, most: mostText })
    .catch((error) => {
      throw isTooLarge(error) ? tooLong() : error;
    });
  if (finished.code !== 0) throw failed(command, finished);
  return finished;
}

/** Returns the error for a Git that gave no answer. */
export function failed({ args }: Command, finished: Finished): SyncError {
  return new SyncError(`Cannot check signatures: git ${args[2]} failed`, {
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
    `Refused: a commit, a tag, or the trusted keys are larger than ${
      formatSize(mostText)
    }`,
    {
      stage: "verify",
      reason: "too-large",
      next: "hold",
      hints: [
        "the revision was not evaluated, and the host is unchanged",
        "find the large object in a clone: git cat-file --batch-check --batch-all-objects",
      ],
    },
  );
}
