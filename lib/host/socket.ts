/**
 * Prepares a Unix socket that only permitted users can reach.
 *
 * @module
 */
import { dirname } from "@std/path";
import { SyncError } from "../base/errors.ts";

/**
 * The permitted mode of a socket's folder, and the option that names its path.
 */
export interface SocketRules {
  option: string;
  /** The highest mode of the folder: 0o700 or, for a group, 0o750. */
  mode: 0o700 | 0o750;
}

/**
 * Prepares the folder of a socket: it belongs to us, others may not enter it,
 * no link leads to it, and no other file is at the path of the socket. The
 * socket of a killed server of ours is removed.
 *
 * @throws {SyncError} `socket-folder`, `socket-planted` or `socket-in-use`,
 * exit 2.
 */
export async function prepareSocket(
  path: string,
  rules: SocketRules,
): Promise<void> {
  try {
    await prepare(path, rules.mode);
  } catch (error) {
    if (!(error instanceof Unusable)) throw error;
    throw unusable(path, error, rules.option);
  }
}

async function prepare(path: string, most: number): Promise<void> {
  const folder = dirname(path);
  const real = await makeFolder(folder).then(() => Deno.realPath(folder))
    .catch((error) => {
      throw new Unusable("folder", (error as Error).message);
    });
  if (real !== folder) {
    throw new Unusable(
      "folder",
      `${folder} leads through a symbolic link to ${real}`,
    );
  }
  const info = await Deno.lstat(folder);
  const mode = (info.mode ?? 0) & 0o777;
  if (info.uid !== Deno.uid() || (mode & ~most) !== 0) {
    throw new Unusable(
      "folder",
      `other users may enter ${folder} (owner ${info.uid}, mode ${
        mode.toString(8)
      }): expected a folder of this user with mode ${most.toString(8)}`,
    );
  }
  await clear(path);
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await Deno.mkdir(folder, { mode: 0o700 });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return;
    throw error;
  }
}

async function clear(path: string): Promise<void> {
  const info = await Deno.lstat(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  });
  if (!info) return;
  if (!info.isSocket || info.uid !== Deno.uid()) {
    throw new Unusable("planted", "another file is there already");
  }
  try {
    (await Deno.connect({ transport: "unix", path })).close();
  } catch {
    // Nobody listens: our server was killed.
    return await Deno.remove(path);
  }
  throw new Unusable("in-use", "another process listens there");
}

/** The reason why a socket cannot be created at a path. */
class Unusable extends Error {
  constructor(readonly kind: string, why: string) {
    super(why);
  }
}

function unusable(
  path: string,
  { kind, message }: Unusable,
  option: string,
): SyncError {
  return new SyncError(`Cannot listen on ${path}: ${message}`, {
    stage: "config",
    reason: `socket-${kind}`,
    next: "stop",
    hints: [
      `Remove what is there, or set ${option} to another path. Its folder must be for the server only.`,
    ],
  });
}

/**
 * Removes the socket of a server that has ended. Newer Denos do this
 * themselves.
 */
export async function removeSocket(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
