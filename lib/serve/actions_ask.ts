/**
 * Asks root's unit for what a button does.
 *
 * @module
 */
import { folderOf } from "../config/serve_kinds.ts";
import { kindOf, type Request as Asked, textOf } from "./actions_request.ts";

/** Requests of one kind that may wait; root's unit takes them within a second. */
export const mostWaiting = 16;

/** How often a folder that was taken away meanwhile is made again. */
const tries = 5;

/** Too many requests wait. */
export class Crowded extends Error {}

/**
 * Writes a request where a path unit finds it. The unit takes the whole folder
 * away, so it may have gone between any two steps.
 *
 * @param wanted The file of `serve.wanted`, beside which the folders are.
 * @throws {Crowded} where many wait already; {@linkcode Error} where it can't be
 * written.
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
  // Root has no more rights than others there: nobody else gets this far.
  await Deno.chmod(folder, 0o755);
  if (countOf(folder) >= mostWaiting) throw new Crowded();
  // systemd passes over hidden files, so it finds a whole one.
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
