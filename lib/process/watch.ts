/**
 * Bounds on what a program uses while a server that may be hostile feeds it.
 *
 * @module
 */
import type { Limits } from "../base/effects.ts";
import { kernelTexts } from "./kernel.ts";

/** Milliseconds between two looks. */
const pause = 250;

/**
 * Looks at a program and its children until it is told to stop.
 *
 * @param over Called once, when they use more than they may.
 * @returns what stops it.
 */
export function watch(
  pid: number,
  limits: Limits,
  over: () => void,
): () => void {
  const timer = setInterval(() => {
    const tooMuch = memoryOf(pid, limits.session) > limits.memory ||
      (limits.disk && sizeOf(limits.disk.folder) > limits.disk.most);
    if (!tooMuch) return;
    clearInterval(timer);
    over();
  }, pause);
  return () => clearInterval(timer);
}

/**
 * Bytes in memory of a process and all below it (proc_pid_status(5)).
 *
 * @param isOne Whether one in another session is passed over, with all below it.
 */
export function memoryOf(pid: number, isOne = false, session = ""): number {
  // Both at once: another program is started to read them.
  const texts = kernelTexts([
    `/proc/${pid}/status`,
    `/proc/${pid}/task/${pid}/children`,
  ]);
  const its = /^NSsid:\s+(\d+)/m.exec(texts)?.[1] ?? session;
  if (isOne && session !== "" && its !== session) return 0;
  // Not what is mapped from files, such as the packs of a large repository.
  const own = Number(/^RssAnon:\s+(\d+) kB/m.exec(texts)?.[1] ?? 0) * 1024;
  // The list has no line end, and what is before it has.
  const children = texts.slice(texts.lastIndexOf("\n") + 1).split(" ")
    .filter((child) => child !== "");
  return children.reduce(
    (sum, child) => sum + memoryOf(Number(child), isOne, its),
    own,
  );
}

/** Bytes of the files below a folder; none where it is not there yet. */
export function sizeOf(folder: string): number {
  try {
    return Array.from(Deno.readDirSync(folder), ({ name, isDirectory }) => {
      const path = `${folder}/${name}`;
      return isDirectory ? sizeOf(path) : Deno.lstatSync(path).size;
    }).reduce((sum, size) => sum + size, 0);
  } catch (error) {
    // Git renames and removes while we look.
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}
