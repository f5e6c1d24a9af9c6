/**
 * Limits what a program uses while it receives data from an untrusted server.
 *
 * @module
 */
import type { Limits } from "../base/effects.ts";
import { kernelTexts } from "./kernel.ts";

/** Milliseconds between two checks. */
const pause = 250;

/**
 * Watches a program and its children.
 *
 * @param over Called once, if they use more than they may.
 * @returns a function that stops it.
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
 * Returns the bytes in memory of a process and its descendants
 * (proc_pid_status(5)).
 *
 * @param isOne Whether to skip processes of another session, with their
 * children.
 */
export function memoryOf(pid: number, isOne = false, session = ""): number {
  // Both with one call, because another program reads them.
  const texts = kernelTexts([
    `/proc/${pid}/status`,
    `/proc/${pid}/task/${pid}/children`,
  ]);
  const its = /^NSsid:\s+(\d+)/m.exec(texts)?.[1] ?? session;
  if (isOne && session !== "" && its !== session) return 0;
  // Without what is mapped from files, such as the packs of a large repository.
  const own = Number(/^RssAnon:\s+(\d+) kB/m.exec(texts)?.[1] ?? 0) * 1024;
  // Only the list of children has no line break at its end.
  const children = texts.slice(texts.lastIndexOf("\n") + 1).split(" ")
    .filter((child) => child !== "");
  return children.reduce(
    (sum, child) => sum + memoryOf(Number(child), isOne, its),
    own,
  );
}

/**
 * Returns the bytes of the files below a folder; 0 if it does not exist yet.
 */
export function sizeOf(folder: string): number {
  try {
    return Array.from(Deno.readDirSync(folder), ({ name, isDirectory }) => {
      const path = `${folder}/${name}`;
      return isDirectory ? sizeOf(path) : Deno.lstatSync(path).size;
    }).reduce((sum, size) => sum + size, 0);
  } catch (error) {
    // Git renames and removes files meanwhile.
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}
