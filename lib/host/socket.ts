/**
 * A Unix socket that nobody but its owner and root can reach.
 *
 * @module
 */
import { dirname } from "@std/path";
import { SyncError } from "../base/errors.ts";

/**
 * Makes ready the place of a socket: a folder that only we may enter, reached
 * without links, in which nothing is planted at the socket's path. What a
 * killed server of ours has left there is removed.
 *
 * @throws {SyncError} `socket-folder`, `socket-planted` or `socket-in-use`,
 * exit 2.
 */
export async function prepareSocket(path: string): Promise<void> {
  const folder = dirname(path);
  const real = await makeFolder(folder).then(() => Deno.realPath(folder))
    .catch((error) => {
      throw unusable(path, (error as Error).message, "folder");
    });
  if (real !== folder) {
    throw unusable(path, `${folder} leads through a link to ${real}`, "folder");
  }
  const info = await Deno.lstat(folder);
  const mode = (info.mode ?? 0) & 0o777;
  if (info.uid !== Deno.uid() || (mode & 0o077) !== 0) {
    throw unusable(
      path,
      `others may enter ${folder} (owner ${info.uid}, mode ${
        mode.toString(8)
      }): expected our own with mode 700`,
      "folder",
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
    throw unusable(path, "something else is there already", "planted");
  }
  try {
    (await Deno.connect({ transport: "unix", path })).close();
  } catch {
    // Nobody listens: a server of ours was killed.
    return await Deno.remove(path);
  }
  throw unusable(path, "another process listens there", "in-use");
}

function unusable(path: string, why: string, kind: string): SyncError {
  return new SyncError(`Cannot listen on ${path}: ${why}`, {
    stage: "config",
    reason: `socket-${kind}`,
    next: "stop",
    hints: [
      "remove what is there, or name another path with vault.socket: its folder belongs to vault-agent alone",
    ],
  });
}
