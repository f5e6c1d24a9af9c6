/**
 * A repository of our own, beside a checkout: commits for a branch are made in
 * it, from what the checkout has, and the checkout itself stays as it is.
 *
 * @module
 */
import type { Command, Effects, Finished } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { isRevision } from "../base/names.ts";
import { lastWords } from "../base/text.ts";
import { contentsCommand, contentsIn } from "../git/contents.ts";
import { remoteFailure } from "../git/failure.ts";
import { gitEnvironment, localGit, mostMemory } from "../git/git.ts";
import type { WithRemote } from "./remote.ts";
import type { Source } from "./source.ts";

/** The name that the tip has here. */
export const tipName = "refs/publish/tip";

/** A bare repository that borrows the objects of a checkout. */
export class BranchRepository {
  private constructor(
    private readonly effects: Pick<Effects, "run">,
    private readonly config: WithRemote,
    /** Its folder. */
    readonly path: string,
  ) {}

  /** Makes it in a folder of ours. */
  static async make(
    effects: Pick<Effects, "run">,
    config: WithRemote,
    source: Source,
    path: string,
  ): Promise<BranchRepository> {
    const made = new BranchRepository(effects, config, path);
    const format = source.revision.length === 64 ? "sha256" : "sha1";
    await Deno.mkdir(path);
    await made.git([
      ...["init", "--quiet", "--bare", "--template="],
      `--object-format=${format}`,
    ]);
    const inCheckout = async (name: string) => {
      const asked = ["rev-parse", "--path-format=absolute", "--git-path", name];
      const said = await made.#must(localGit(source.top, asked));
      return said.trim();
    };
    await Deno.mkdir(`${path}/objects/info`, { recursive: true });
    await Deno.writeTextFile(
      `${path}/objects/info/alternates`,
      `${await inCheckout("objects")}\n`,
    );
    // Where its history ends; without it Git would miss what comes before.
    const shallow = await inCheckout("shallow");
    const ends = await Deno.readTextFile(shallow).catch(() => undefined);
    if (ends !== undefined) {
      await Deno.writeTextFile(`${path}/shallow`, ends);
    }
    return made;
  }

  /** Runs Git here; it talks to nobody. @returns what it wrote. */
  git(args: readonly string[]): Promise<string> {
    return this.#must(localGit(this.path, args));
  }

  /** The same with something to read, and settings of Git. */
  gitWith(
    args: readonly string[],
    { input, env, settings = [] }: {
      input?: string;
      env?: Readonly<Record<string, string>>;
      settings?: readonly [string, string][];
    },
  ): Promise<string> {
    const command = localGit(
      this.path,
      args,
      input === undefined ? {} : { input: new TextEncoder().encode(input) },
      settings,
    );
    return this.#must({ ...command, env: { ...command.env, ...env } });
  }

  /** The contents of objects that are here, in the order of the ids. */
  async contents(
    ids: readonly string[],
  ): Promise<(Uint8Array | undefined)[]> {
    const command = contentsCommand(this.path, ids);
    return contentsIn(await this.#whole(command));
  }

  /** Runs Git here, whatever its exit code. */
  run(args: readonly string[]): Promise<Finished> {
    return this.effects.run(localGit(this.path, args));
  }

  /**
   * Fetches a branch.
   *
   * @param isWhole Whether with its whole history, and not the tip alone.
   * @returns its tip.
   * @throws {SyncError} exit 3.
   */
  async fetch(branch: string, isWhole: boolean): Promise<string> {
    const finished = await this.effects.run(this.#remote([
      ...["fetch", "--quiet", "--no-tags", "--no-write-fetch-head"],
      ...["--no-auto-maintenance", "--update-shallow"],
      // What this repository has of the branch was cut off.
      ...isWhole ? ["--depth=2147483647"] : ["--depth=1"],
      ...["--", this.config.repository, `+refs/heads/${branch}:${tipName}`],
    ]));
    if (finished.code !== 0) {
      throw remoteFailure(finished, this.config, "fetch");
    }
    return (await this.git(["rev-parse", `${tipName}^{commit}`])).trim();
  }

  /**
   * Pushes a commit as the tip of a branch that it descends from. What has
   * begun is not interrupted, or nobody would know how it ended.
   */
  async push(commit: string, branch: string): Promise<Finished> {
    return await this.effects.run({
      ...this.#remote([
        ...["push", "--porcelain", "--no-verify", "--no-follow-tags", "--"],
        ...[this.config.repository, `${commit}:refs/heads/${branch}`],
      ]),
      shielded: true,
    });
  }

  /** The newest commit that two have in common, if that can be told here. */
  async common(one: string, other: string): Promise<string | undefined> {
    const { code, stdout } = await this.run(["merge-base", one, other]);
    const said = new TextDecoder().decode(stdout).trim();
    return code === 0 && isRevision(said) ? said : undefined;
  }

  /** Whether a commit is here. */
  async has(commit: string): Promise<boolean> {
    const { stdout } = await this.run(["cat-file", "-t", commit]);
    return new TextDecoder().decode(stdout).trim() === "commit";
  }

  #remote(args: readonly string[]): Command {
    return {
      program: "git",
      args: ["-C", this.path, ...args],
      env: gitEnvironment(this.config, [["safe.directory", this.path]]),
      timeout: this.config["timeouts.fetch"],
      limits: { memory: mostMemory },
    };
  }

  async #must(command: Command): Promise<string> {
    const { stdout } = await this.#whole(command);
    return new TextDecoder().decode(stdout);
  }

  async #whole(command: Command): Promise<Finished> {
    const finished = await this.effects.run(command);
    if (finished.code === 0) return finished;
    throw new SyncError(
      `Cannot create a commit for the branch: git ${command.args[2]} failed`,
      {
        stage: "fetch",
        reason: "git-failed",
        next: "stop",
        details: lastWords(finished),
      },
    );
  }
}
