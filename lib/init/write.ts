/**
 * Writes new files: all of them, or none. Overwrites nothing.
 *
 * @module
 */
import { dirname } from "@std/path";
import { SyncError } from "../base/errors.ts";
import { naming, syncFolder, writeAll } from "../host/files.ts";

/** A file that does not exist yet. */
export interface NewFile {
  /** Its absolute path. */
  path: string;
  content: string | Uint8Array;
  /** Its mode; 0644 by default. */
  mode?: number;
}

/** The owner of the new files. */
interface Owner {
  uid: number | null;
  gid: number | null;
}

/**
 * Writes files and the folders that they need.
 *
 * @param owner The owner that root sets.
 * @throws {SyncError} `not-written`, exit 2; all new files are removed again.
 */
export async function writeNew(
  files: readonly NewFile[],
  owner: Owner,
): Promise<void> {
  const made: string[] = [];
  try {
    for (const file of files) {
      await makeFolders(dirname(file.path), owner, made);
      await create(file, owner, made);
    }
    for (const folder of new Set(files.map(({ path }) => dirname(path)))) {
      await syncFolder(folder);
    }
  } catch (error) {
    for (const path of made.toReversed()) {
      await Deno.remove(path).catch(() => {});
    }
    if (error instanceof SyncError) throw error;
    throw unwritten((error as Error).message);
  }
}

async function makeFolders(
  folder: string,
  owner: Owner,
  made: string[],
): Promise<void> {
  if (await Deno.stat(folder).then(() => true, () => false)) return;
  await makeFolders(dirname(folder), owner, made);
  await Deno.mkdir(folder, { mode: 0o755 });
  made.push(folder);
  await give(folder, owner);
}

async function create(
  { path, content, mode = 0o644 }: NewFile,
  owner: Owner,
  made: string[],
): Promise<void> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path, { write: true, createNew: true, mode });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    throw unwritten(`${path} already exists, and init overwrites nothing`);
  }
  made.push(path);
  try {
    await naming(path, async () => {
      await writeAll(file, content);
      await file.sync();
    });
  } finally {
    file.close();
  }
  if (mode === 0o644) await give(path, owner);
}

/** Gives a new file in a person's checkout to that person. */
async function give(path: string, { uid, gid }: Owner): Promise<void> {
  if (Deno.uid() === 0 && uid !== null && uid !== 0) {
    await Deno.chown(path, uid, gid);
  }
}

function unwritten(why: string): SyncError {
  return new SyncError(`Cannot write the files: ${why}`, {
    stage: "config",
    reason: "not-written",
    next: "stop",
    hints: ["fix this and run init again; nothing was changed"],
  });
}
