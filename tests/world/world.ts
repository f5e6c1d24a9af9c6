/**
 * A host without systemd in a mount namespace of its own (enter.sh): up in
 * 30 ms, for whole runs in which no unit matters.
 *
 * @module
 */
import { join } from "node:path";
import { unboundGitopsSync } from "./gitops_sync.ts";
import { Host } from "./host.ts";
import { output, type Program, type ProgramOptions, start } from "./program.ts";
import { gitEnvironment, type Repository } from "./repository.ts";

const enter = join(import.meta.dirname!, "enter.sh");

/** A world; its folder and what still runs in it go when it is disposed of. */
export class World extends Host implements AsyncDisposable {
  #programs = new Set<Program>();
  protected readonly program: readonly string[] = unboundGitopsSync;

  private constructor(
    /** The folder of the world; repositories may be made in it. */
    readonly folder: string,
  ) {
    super();
  }

  /** Makes a new and empty world. */
  static async make(): Promise<World> {
    const made = await Deno.makeTempDir({ prefix: "gitops-sync-world-" });
    const world = new World(await Deno.realPath(made));
    try {
      // Makes its folders, and tells at once where worlds cannot be.
      await world.output(["true"]);
      return world;
    } catch (error) {
      await world[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Why there can be no world on this machine, or `null`. */
  static async refusal(): Promise<string | null> {
    try {
      await using _ = await World.make();
      return null;
    } catch (error) {
      return (error as Error).message;
    }
  }

  override path(inside: string): string {
    return join(this.folder, inside);
  }

  override urlOf(repository: Repository): string {
    return `file://${repository.bare}`;
  }

  override start(
    argv: readonly string[],
    options: ProgramOptions = {},
  ): Program {
    // The caller's own settings come last: enter.sh clears some of them.
    const env = Object.entries({ ...gitEnvironment, ...options.env })
      .map(([name, value]) => `${name}=${value}`);
    const program = start([enter, this.folder, "env", ...env, ...argv], {
      cwd: this.folder,
      ...options,
      env: { GIT_CEILING_DIRECTORIES: this.folder },
    });
    this.#programs.add(program);
    program.ended.catch(() => {}).finally(() => this.#programs.delete(program));
    return program;
  }

  /** Ends what still runs and removes the folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    const running = [...this.#programs];
    for (const program of running) program.kill();
    await Promise.allSettled(running.map((program) => program.ended));
    // The store's folders are read-only, which only root may overlook.
    await output(["chmod", "-R", "u+w", this.folder]);
    await Deno.remove(this.folder, { recursive: true });
  }
}
