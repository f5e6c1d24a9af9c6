/**
 * The folder of a plan. It replaces the state folder, so that a plan can use the
 * stages of a run. It is removed afterwards.
 *
 * @module
 */
import { exists } from "@std/fs";
import { ensurePrivateDir } from "../host/files.ts";
import { type Lock, takeLock } from "../host/lock.ts";
import { planFolder } from "../nix/isolation.ts";

/** A plan's folder, removed when it is disposed of. */
export class Scratch implements AsyncDisposable {
  private constructor(
    readonly folder: string,
    /** Whether the state folder was there before. */
    readonly isKnown: boolean,
    private readonly lock: Lock,
  ) {}

  /**
   * Creates the folder; replaces one that a killed plan left.
   *
   * @param state The state folder.
   * @throws {SyncError} `locked`, exit 10: another plan is in progress.
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
   * Copies from the state folder: the objects of the mirror, and the list of
   * secrets that opened before. Git never changes a pack, so a hard link to one
   * is safe. Git fetches again what is inconsistent.
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

/** Links packs and objects, and copies all other files. */
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
