/**
 * How much room there is on the file systems that a deployment writes to.
 *
 * @module
 */
import { statfsSync } from "node:fs";

/** The room on one file system. */
export interface Room {
  /** Bytes that root may still write. */
  bytes: number;
  /** Files that can still be made; `Infinity` where there is no such limit. */
  files: number;
}

/** The room at a path, or `undefined` where there is no such path. */
export function roomAt(path: string): Room | undefined {
  try {
    const { bsize, bfree, files, ffree } = statfsSync(path);
    return { bytes: bsize * bfree, files: files === 0 ? Infinity : ffree };
  } catch {
    return undefined;
  }
}

/** Whether two paths are on one file system. */
export function onOneDisk(a: string, b: string): boolean {
  try {
    return Deno.statSync(a).dev === Deno.statSync(b).dev;
  } catch {
    return true;
  }
}

/** The size of a file, its links followed; 0 where there is none. */
export function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch {
    return 0;
  }
}

/** The size of all files in a folder; 0 where there is none. */
export function sizeOfAll(folder: string): number {
  try {
    return Array.from(Deno.readDirSync(folder))
      .reduce((sum, { name }) => sum + sizeOf(`${folder}/${name}`), 0);
  } catch {
    return 0;
  }
}
