/**
 * Reads the free space of the file systems that a deployment writes to.
 *
 * @module
 */
import { statfsSync } from "node:fs";

/** The free space of a file system. */
export interface Room {
  /** The bytes that root can still write. */
  bytes: number;
  /** The files that can still be created; `Infinity` if there is no limit. */
  files: number;
}

/** Returns the free space at a path, or `undefined` if it does not exist. */
export function roomAt(path: string): Room | undefined {
  try {
    const { bsize, bfree, files, ffree } = statfsSync(path);
    return { bytes: bsize * bfree, files: files === 0 ? Infinity : ffree };
  } catch {
    return undefined;
  }
}

/** Returns whether two paths are on the same file system. */
export function onOneDisk(a: string, b: string): boolean {
  try {
    return Deno.statSync(a).dev === Deno.statSync(b).dev;
  } catch {
    return true;
  }
}

/** Returns the size of a file, links followed; 0 if it does not exist. */
export function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch {
    return 0;
  }
}

/** Returns the size of all files in a folder; 0 if it does not exist. */
export function sizeOfAll(folder: string): number {
  try {
    return Array.from(Deno.readDirSync(folder))
      .reduce((sum, { name }) => sum + sizeOf(`${folder}/${name}`), 0);
  } catch {
    return 0;
  }
}
