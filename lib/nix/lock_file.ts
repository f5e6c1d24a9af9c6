/**
 * Reads the `flake.lock` of a revision before the evaluation.
 *
 * @module
 */
import { isObject } from "../base/json.ts";
import { SyncError } from "../base/errors.ts";
import { oneLine, short } from "../base/text.ts";
import type { Config } from "../config/schema.ts";
import { localGit } from "../git/git.ts";
import { damaged } from "../git/mirror.ts";
import type { Run } from "../run/run.ts";
import type { Readable } from "../run/stages.ts";

/** In bytes. A lock file with a thousand inputs has an eighth of this. */
const mostLock = 4 * 2 ** 20;

/** A locked input. */
export interface Input {
  /** Its name among the nodes of the lock file. */
  name: string;
  locked: Readonly<Record<string, unknown>>;
}

/**
 * Returns the inputs of a revision.
 *
 * Git follows a symbolic link at this path, but only inside the repository.
 *
 * @returns none if there is no lock file.
 * @throws {SyncError} exit 6, held: `lock-outside`, `lock-unreadable`.
 */
export async function inputsOf(run: Run, readable: Readable): Promise<Input[]> {
  const { mirror, commit: { revision } } = readable;
  const { directory } = run.config;
  const path = directory === "" ? "flake.lock" : `${directory}/flake.lock`;
  const asking = localGit(
    mirror,
    ["cat-file", "--batch-check", "--follow-symlinks"],
    { input: new TextEncoder().encode(`${revision}:${path}\n`) },
  );
  const asked = await run.effects.run(asking);
  const answer = new TextDecoder().decode(asked.stdout).trimEnd();
  // git-cat-file(1), "--follow-symlinks".
  if (/^(?:symlink|dangling|loop|notdir) \d+$/m.test(answer)) {
    throw refuse(
      revision,
      "lock-outside",
      `${path} is a symbolic link that does not lead to a file of the repository`,
      "Commit the file itself, and push.",
    );
  }
  const [, id, kind, size] = /^([0-9a-f]{40,64}) (\w+) (\d+)$/.exec(answer) ??
    [];
  if (id === undefined) {
    if (asked.code === 0 && / missing$/.test(answer)) return [];
    // No revision can cause another answer of Git.
    throw damaged(run, asking, asked);
  }
  if (kind !== "blob") throw unreadable(revision, path, `it is a ${kind}`);
  if (Number(size) > mostLock) {
    throw unreadable(
      revision,
      path,
      `it is larger than ${mostLock >> 20} MiB`,
    );
  }
  const reading = localGit(mirror, ["cat-file", "blob", id]);
  const read = await run.effects.run(reading);
  const isWhole = read.code === 0 && read.stdout.length === Number(size);
  if (!isWhole) throw damaged(run, reading, read);
  const inputs = inputsIn(new TextDecoder().decode(read.stdout));
  if (inputs) return inputs;
  throw unreadable(revision, path, "it is not the lock file of a flake");
}

/** Returns the locked inputs in a lock file; `undefined` if it is not valid. */
export function inputsIn(text: string): Input[] | undefined {
  try {
    const { nodes } = JSON.parse(text) as { nodes?: unknown };
    if (!isObject(nodes)) return undefined;
    return Object.entries(nodes).flatMap(([name, node]) => {
      if (!isObject(node)) throw new TypeError(name);
      const { locked } = node;
      return isObject(locked) ? [{ name, locked }] : [];
    });
  } catch {
    return undefined;
  }
}

/**
 * Refuses inputs that are paths of this host, if the evaluation can read them.
 * This only protects against mistakes: code can name such a path as well.
 *
 * If the repository itself is on this host, another repository on it may be an
 * input.
 *
 * @throws {SyncError} `input-outside`, exit 6, held.
 */
export function refuseOutside(
  revision: string,
  inputs: readonly Input[],
  { repository, directory }: Pick<Config, "repository" | "directory">,
): void {
  const isLocal = repository.startsWith("file://");
  const depth = directory.split("/").filter((part) => part !== "").length;
  for (const { name, locked } of inputs) {
    const place = placeOnHost(locked, isLocal, depth);
    if (place === undefined) continue;
    throw refuse(
      revision,
      "input-outside",
      `its input ${oneLine(name, 60)} is a path of this host: ${
        oneLine(place, 100)
      }`,
      "Move the input into the repository (./FOLDER), or point it to a repository or a URL. Then push.",
    );
  }
}

/** Returns the path of this host that an input names, if any. */
function placeOnHost(
  { type, path, url }: Input["locked"],
  isLocal: boolean,
  depth: number,
): string | undefined {
  if (type === "path") {
    return typeof path === "string" && isInside(path, depth)
      ? undefined
      : String(path);
  }
  if (typeof url !== "string" || /^(?:https?|ssh|git):\/\//.test(url)) {
    return undefined;
  }
  return type === "git" && isLocal ? undefined : url;
}

/**
 * Returns whether a path stays inside the repository.
 *
 * @param depth The depth of the folder in which the path begins.
 */
function isInside(path: string, depth: number): boolean {
  if (path.startsWith("/")) return false;
  for (const part of path.split("/")) {
    if (part === "..") depth--;
    else if (part !== "" && part !== ".") depth++;
    if (depth < 0) return false;
  }
  return true;
}

function unreadable(revision: string, path: string, why: string): SyncError {
  return refuse(
    revision,
    "lock-unreadable",
    `cannot read ${path}: ${why}`,
    "Run `nix flake lock`, commit flake.lock and push.",
  );
}

function refuse(
  revision: string,
  reason: string,
  why: string,
  hint: string,
): SyncError {
  return new SyncError(`Refused ${short(revision)}: ${why}`, {
    stage: "build",
    reason,
    next: "hold",
    hints: [hint],
  });
}
