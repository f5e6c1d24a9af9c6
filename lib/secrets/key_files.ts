/**
 * Files with the age keys of a host, in memory and only while a check lasts.
 *
 * sops takes one file of age keys. Keys of several files, and those made of SSH
 * keys, which are in no file at all, are put into one: in the environment of
 * sops every process of the same user could read them.
 *
 * @module
 */
import { privateFolder } from "../host/private_folder.ts";
import { ageKeysBeyondAFile, type Keys } from "./sops/sops.ts";

/** The files of one check. */
export class KeyFiles implements AsyncDisposable {
  #folder: ReturnType<typeof privateFolder> | undefined;
  /** By what they hold. */
  readonly #paths = new Map<string, Promise<string>>();

  /**
   * The same keys, with the file that sops needs for them, if it needs one.
   *
   * @throws {SyncError} `no-memory-folder`, exit 5.
   */
  async with(keys: Keys): Promise<Keys> {
    const text = ageKeysBeyondAFile(keys);
    if (text === undefined) return keys;
    const path = this.#paths.get(text) ?? this.#write(text);
    this.#paths.set(text, path);
    return { ...keys, ageKeyFile: await path };
  }

  async #write(text: string): Promise<string> {
    const name = String(this.#paths.size);
    this.#folder ??= privateFolder();
    const folder = await this.#folder;
    await folder.write(name, new TextEncoder().encode(text));
    return `${folder.path}/${name}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // One that could not be made was told already.
    const folder = await this.#folder?.catch(() => undefined);
    await folder?.[Symbol.asyncDispose]();
  }
}
