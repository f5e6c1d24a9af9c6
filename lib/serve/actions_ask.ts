/**
 * Requests the action of a button from root's unit.
 *
 * @module
 */
import { folderOf } from "../config/serve_kinds.ts";
import { kindOf, type Request as Asked, textOf } from "./actions_request.ts";

/**
 * The limit of waiting requests of one kind. Root's unit takes them within a
 * second.
 */
export const mostWaiting = 16;

/** How often a folder that was moved away is created again. */
const tries = 5;

/** Too many requests are waiting. */
export class TooManyRequests extends Error {}

/**
 * Writes a request for a path unit. The unit moves the whole folder away, so it
 * may disappear between any two steps.
 *
 * @param wanted The file of `serve.wanted`. The folders are next to it.
 * @throws {TooManyRequests} if many are waiting already; {@linkcode Error} if it can't
 * it can't be written.
 */
export async function ask(wanted: string, request: Asked): Promise<void> {
  const folder = folderOf(wanted, kindOf(request.action));
  const name = `${Date.parse(request.at)}-${crypto.randomUUID()}`;
  for (let left = tries;; left--) {
    try {
      return await writeIn(folder, name, textOf(request));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound) || left === 0) throw error;
    }
  }
}

async function writeIn(
  folder: string,
  name: string,
  text: string,
): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  // Readable by root's unit, which has no other rights there. Nobody else can
  // enter the parent folder.
  await Deno.chmod(folder, 0o755);
  if (countOf(folder) >= mostWaiting) throw new TooManyRequests();
  // systemd ignores hidden files, so it finds only complete ones.
  const hidden = `${folder}/.${name}`;
  await Deno.writeTextFile(hidden, text, { createNew: true });
  await Deno.chmod(hidden, 0o644);
  await Deno.rename(hidden, `${folder}/${name}.json`);
}

function countOf(folder: string): number {
  let count = 0;
  for (const _ of Deno.readDirSync(folder)) count++;
  return count;
}
