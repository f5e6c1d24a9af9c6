/**
 * A person's checkout with real keys, and the program run in it.
 *
 * @module
 */
import { dirname } from "node:path";
import { gitopsSync } from "../world/gitops_sync.ts";
import {
  type Ended,
  output,
  type Program,
  run,
  start,
} from "../world/program.ts";

/** A folder with a Git repository, a home, and keys. */
export class Checkout implements AsyncDisposable {
  private constructor(
    /** The repository. */
    readonly top: string,
    /** Beside the repository: keys and the home of the person. */
    readonly home: string,
    /** The public keys of the person and of two hosts. */
    readonly keys: Readonly<Record<"me" | "web" | "db", string>>,
  ) {}

  /** Makes one; nothing is committed. */
  static async make(): Promise<Checkout> {
    const folder = await Deno.realPath(await Deno.makeTempDir());
    const [top, home] = [`${folder}/infra`, `${folder}/home`];
    await Deno.mkdir(home);
    await output(["git", "init", "--quiet", top]);
    const keys = { me: "", web: "", db: "" };
    for (const name of Object.keys(keys) as (keyof typeof keys)[]) {
      await output(["age-keygen", "-o", `${home}/${name}.key`]);
      keys[name] = await output(["age-keygen", "-y", `${home}/${name}.key`]);
    }
    return new Checkout(top, home, keys);
  }

  /** Writes a file of the repository. */
  async write(path: string, text: string): Promise<void> {
    await Deno.mkdir(dirname(`${this.top}/${path}`), { recursive: true });
    await Deno.writeTextFile(`${this.top}/${path}`, text);
  }

  /** Reads a file of the repository. */
  read(path: string): string {
    return Deno.readTextFileSync(`${this.top}/${path}`);
  }

  /** Starts `gitops-sync secrets …` as the person, in the repository. */
  start(args: readonly string[], env: Record<string, string> = {}): Program {
    return start(
      ["env", "-i", ...this.#variables(env)].concat(
        [...gitopsSync, "secrets", ...args],
      ),
      { cwd: this.top },
    );
  }

  /** Runs it to its end. */
  secrets(...args: string[]): Promise<Ended> {
    return this.start(args).ended;
  }

  /** What a sops file says to the holder of a key. */
  async decrypt(path: string, who: "me" | "web" | "db"): Promise<string> {
    const { code, stdout } = await run(
      ["sops", "decrypt", `${this.top}/${path}`],
      {
        env: {
          HOME: "/var/empty",
          SOPS_AGE_KEY_FILE: `${this.home}/${who}.key`,
        },
      },
    );
    return code === 0 ? stdout : "";
  }

  /** The same for a file of age. */
  async decryptAge(path: string, who: "me" | "web" | "db"): Promise<string> {
    const key = `${this.home}/${who}.key`;
    const file = `${this.top}/${path}`;
    const { code, stdout } = await run(["age", "-d", "-i", key, file]);
    return code === 0 ? stdout : "";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(dirname(this.top), { recursive: true });
  }

  #variables(more: Record<string, string>): string[] {
    const keep = ["PATH", "DENO_DIR"].flatMap((name) => {
      const value = Deno.env.get(name);
      return value === undefined ? [] : [[name, value]];
    });
    return [
      ...keep,
      ["HOME", this.home],
      ["DENO_NO_UPDATE_CHECK", "1"],
      ["SOPS_AGE_KEY_FILE", `${this.home}/me.key`],
      ...Object.entries(more),
    ].map(([name, value]) => `${name}=${value}`);
  }
}

/** What is left in the folders in memory of runs that were killed. */
export function leftovers(): string[] {
  const entries = (folder: string) =>
    Array.from(Deno.readDirSync(folder), ({ name }) => `${folder}/${name}`);
  return ["/run", "/dev/shm"].flatMap(entries)
    .filter((path) => path.includes("gitops-sync-private")).flatMap(entries);
}
