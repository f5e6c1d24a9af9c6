/**
 * The folder that a plan works in. It stands in for the state folder, so that
 * the stages of a run do for a plan what they do for a run, and nothing of it is
 * left.
 *
 * @module
 */
import { exists } from "@std/fs";
import { ensurePrivateDir } from "../host/files.ts";
import { type Lock, takeLock } from "../host/lock.ts";
import { planFolder } from "../nix/isolation.ts";

/** A plan's folder, which goes when it is disposed of. */
export class Scratch implements AsyncDisposable {
  private constructor(
    readonly folder: string,
    /** Whether the state folder was there before. */
    readonly isKnown: boolean,
    private readonly lock: Lock,
  ) {}

  /**
   * Makes the folder, in the place of one that a killed plan has left.
   *
   * @param state The state folder.
   * @throws {SyncError} `locked`, exit 10: another plan is at work.
   */
  static async make(state: string, now: Date): Promise<Scratch> {
    const isKnown = await exists(state);
    await ensurePrivateDir(state);
    const folder = `${state}/${planFolder}`;
    await ensurePrivateDir(folder);
    const lock = await takeLock(folder, "plan", now.getTime());
    const scratch = new Scratch(folder, isKnown, lock);
    for await (const { name } of Deno.readDir(folder)) {
      if (name !== "lock") await remove(`${folder}/${name}`);
    }
    if (isKnown) await scratch.#seed(state);
    return scratch;
  }

  /**
   * Begins with what the state folder has: the objects of the mirror, and what
   * secrets opened before. Git never changes a pack, so a second name of one
   * costs nothing. What does not fit together is fetched anew.
   */
  async #seed(state: string): Promise<void> {
    try {
      await copyTree(`${state}/repo`, `${this.folder}/repo`);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      // There is none, or a run changed it at this moment.
      await remove(`${this.folder}/repo`);
    }
    await Deno.copyFile(
      `${state}/secrets-opened`,
      `${this.folder}/secrets-opened`,
    ).catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await remove(this.folder);
    this.lock[Symbol.dispose]();
    if (!this.isKnown) {
      // Only if it is empty: a run may have begun.
      const state = this.folder.slice(0, -planFolder.length - 1);
      await Deno.remove(state).catch(() => {});
    }
  }
}

/** Packs and objects get a second name, all other files are copied. */
async function copyTree(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { mode: 0o700 });
  for await (const { name, isDirectory, isFile } of Deno.readDir(from)) {
    const source = `${from}/${name}`, copy = `${to}/${name}`;
    if (isDirectory) await copyTree(source, copy);
    if (!isFile || name.endsWith(".lock") || name.startsWith("tmp_")) continue;
    if (source.includes("/objects/")) await Deno.link(source, copy);
    else await Deno.copyFile(source, copy);
  }
}

async function remove(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}
