/**
 * Files with the age keys of a host, in memory and only during a check.
 *
 * sops reads one file of age keys. Keys of more than one file, and keys derived
 * from SSH keys, are combined in one file. In the environment of sops, every
 * process of the same user could read them.
 *
 * @module
 */
import { privateFolder } from "../host/private_folder.ts";
import { ageKeysBeyondAFile, type Keys } from "./sops/sops.ts";

/** The files of one check. */
export class KeyFiles implements AsyncDisposable {
  #folder: ReturnType<typeof privateFolder> | undefined;
  /** The paths by their content. */
  readonly #paths = new Map<string, Promise<string>>();

  /**
   * Returns the same keys, with the file that sops needs for them, if any.
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
    // A failure to create it was already reported.
    const folder = await this.#folder?.catch(() => undefined);
    await folder?.[Symbol.asyncDispose]();
  }
}
