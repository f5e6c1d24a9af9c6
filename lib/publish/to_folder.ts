/**
 * Writes the store paths of hosts to a folder, which a web server may serve.
 *
 * @module
 */
import { isStorePath } from "../base/names.ts";
import { oneLine } from "../base/text.ts";
import { readIfThere } from "../host/files.ts";
import { replaceFile } from "../host/replace.ts";
import type { FileNames } from "./pattern.ts";
import type { Place, Update, Written } from "./place.ts";

/**
 * A folder. At any moment each file in it is either old or new, and complete.
 */
export class ToFolder implements Place {
  readonly shown: string;

  /** @param folder Without symbolic links. */
  constructor(
    private readonly folder: string,
    private readonly names: FileNames,
  ) {
    this.shown = `the folder ${oneLine(folder, 200)}`;
  }

  // deno-lint-ignore require-await
  async read(hosts: readonly string[]): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    // A folder with files for each revision has many files.
    const paths = this.names.isPerRevision
      ? hosts.map(this.names.of)
      : filesBelow(this.folder);
    for (const path of paths) {
      const host = this.names.hostOf(path);
      if (host === undefined) continue;
      const system = readIfThere(`${this.folder}/${path}`)?.trim() ?? "";
      if (isStorePath(system)) found.set(host, system);
    }
    return found;
  }

  async write({ systems, hosts }: Update): Promise<Written> {
    const before = await this.read(hosts);
    let isNew = false;
    for (const [host, system] of systems) {
      if (before.get(host) === system) continue;
      const content = new TextEncoder().encode(`${system}\n`);
      await replaceFile(`${this.folder}/${this.names.of(host)}`, content);
      isNew = true;
    }
    const removed = this.names.isPerRevision
      ? []
      : [...before.keys()].filter((host) => !hosts.includes(host));
    for (const host of removed) {
      await Deno.remove(`${this.folder}/${this.names.of(host)}`);
    }
    const isSame = !isNew && removed.length === 0;
    return { result: isSame ? "unchanged" : "published", removed };
  }
}

/** Returns the paths of all files below a folder. A missing folder has none. */
function filesBelow(folder: string, path = ""): string[] {
  const found: string[] = [];
  for (const { name, isFile, isDirectory } of entriesOf(`${folder}/${path}`)) {
    const inside = path === "" ? name : `${path}/${name}`;
    if (isFile) found.push(inside);
    if (isDirectory && name !== ".git") {
      found.push(...filesBelow(folder, inside));
    }
  }
  return found;
}

function entriesOf(folder: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(folder)];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
