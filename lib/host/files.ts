/**
 * Reads and writes files that must survive a power cut.
 *
 * @module
 */
import { ensureDir } from "@std/fs";
import { foreseen } from "../base/os_error.ts";

/**
 * Replaces the file at `path`. After a crash at any point, either the old or
 * the new text is there, whole: write, fsync, rename, fsync of the folder. Only
 * the owner may read it.
 *
 * @param time The modification time of the file.
 * @throws {SyncError} `disk-full` and the like.
 */
export async function writeWhole(
  path: string,
  text: string,
  time?: Date,
): Promise<void> {
  await naming(path, () => replaceWhole(path, text, time));
}

async function replaceWhole(
  path: string,
  text: string,
  time?: Date,
): Promise<void> {
  const temporary = `${path}.new`;
  const file = await openNew(temporary);
  try {
    await writeAll(file, text);
    if (time) await file.utime(time, time);
    await file.sync();
  } finally {
    file.close();
  }
  await Deno.rename(temporary, path);
  await syncFolder(path.slice(0, path.lastIndexOf("/")));
}

/** Opens a new file. It follows no link that somebody put there. */
async function openNew(path: string): Promise<Deno.FsFile> {
  const open = () =>
    Deno.open(path, { write: true, createNew: true, mode: 0o600 });
  try {
    return await open();
  } catch (error) {
    // An interrupted run left its own file.
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    await Deno.remove(path);
    return await open();
  }
}

/**
 * Appends text to a file. It is on the disk when this returns.
 *
 * @throws {SyncError} `disk-full` and the like.
 */
export async function appendDurably(path: string, text: string): Promise<void> {
  await naming(path, () => append(path, text));
}

async function append(path: string, text: string): Promise<void> {
  const file = await Deno.open(path, {
    read: true,
    append: true,
    create: true,
    mode: 0o600,
  });
  try {
    await writeAll(file, text);
    await file.sync();
  } finally {
    file.close();
  }
}

/** Reads a text file; `undefined` if it does not exist. */
export function readIfThere(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * Reads a file whose path comes from somebody else.
 *
 * @throws {RangeError} if it is not a regular file, which might never end, or
 * if it is longer than `most` bytes.
 */
export async function readAtMost(
  path: string,
  most: number,
): Promise<Uint8Array> {
  const { isFile, size } = await Deno.stat(path);
  if (!isFile) throw new RangeError("it is not a regular file");
  if (size > most) throw new RangeError(`it is larger than ${most >> 20} MiB`);
  return await Deno.readFile(path);
}

/** Creates a folder that only its owner may enter. */
export async function ensurePrivateDir(path: string): Promise<void> {
  await ensureDir(path);
  await Deno.chmod(path, 0o700);
}

/**
 * Runs what writes to an open file. Deno's own error does not name the file:
 * this one does.
 *
 * @throws {SyncError} `disk-full` and the like.
 */
export async function naming(
  path: string,
  write: () => Promise<void>,
): Promise<void> {
  try {
    await write();
  } catch (error) {
    const says = error instanceof Error ? error.message : "";
    throw foreseen(
      / \(os error \d+\)$/.test(says)
        ? new Error(`${says}: write '${path}'`, { cause: error })
        : error,
    );
  }
}

/** Writes all of a text or of bytes: one call may write only a part. */
export async function writeAll(
  file: Deno.FsFile,
  content: string | Uint8Array,
): Promise<void> {
  let rest = typeof content === "string"
    ? new TextEncoder().encode(content)
    : content;
  while (rest.length > 0) rest = rest.subarray(await file.write(rest));
}

/** Writes the names in a folder to the disk before it returns. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await Deno.open(path, { read: true });
  try {
    await folder.sync();
  } finally {
    folder.close();
  }
}
