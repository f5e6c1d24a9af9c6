/**
 * A separate repository next to a checkout. The commits for a branch are
 * created in it from the objects of the checkout. The checkout does not change.
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

/** The name of the tip in this repository. */
export const tipName = "refs/publish/tip";

/** A bare repository that borrows the objects of a checkout. */
export class BranchRepository {
  private constructor(
    private readonly effects: Pick<Effects, "run">,
    private readonly config: WithRemote,
    /** Its folder. */
    readonly path: string,
  ) {}

  /** Creates the repository in a folder of gitops-sync. */
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
    // The end of a shallow history. Without it Git would look for missing
    // commits.
    const shallow = await inCheckout("shallow");
    const ends = await Deno.readTextFile(shallow).catch(() => undefined);
    if (ends !== undefined) {
      await Deno.writeTextFile(`${path}/shallow`, ends);
    }
    return made;
  }

  /** Runs Git here, without network. @returns its output. */
  git(args: readonly string[]): Promise<string> {
    return this.#must(localGit(this.path, args));
  }

  /** Runs Git with input and settings. */
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

  /** Returns the contents of local objects, in the order of the ids. */
  async contents(
    ids: readonly string[],
  ): Promise<(Uint8Array | undefined)[]> {
    const command = contentsCommand(this.path, ids);
    return contentsIn(await this.#whole(command));
  }

  /** Runs Git here. Any exit code is accepted. */
  run(args: readonly string[]): Promise<Finished> {
    return this.effects.run(localGit(this.path, args));
  }

  /**
   * Fetches a branch.
   *
   * @param isWhole Whether to fetch the whole history, not only the tip.
   * @returns its tip.
   * @throws {SyncError} exit 3.
   */
  async fetch(branch: string, isWhole: boolean): Promise<string> {
    const finished = await this.effects.run(this.#remote([
      ...["fetch", "--quiet", "--no-tags", "--no-write-fetch-head"],
      ...["--no-auto-maintenance", "--update-shallow"],
      // The local history of the branch was shallow.
      ...isWhole ? ["--depth=2147483647"] : ["--depth=1"],
      ...["--", this.config.repository, `+refs/heads/${branch}:${tipName}`],
    ]));
    if (finished.code !== 0) {
      throw remoteFailure(finished, this.config, "fetch");
    }
    return (await this.git(["rev-parse", `${tipName}^{commit}`])).trim();
  }

  /**
   * Pushes a commit as the new tip of a branch that it descends from. A push is
   * not interrupted once it has begun, or its result would be unknown.
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

  /** Returns the newest common commit of two commits, if it is known here. */
  async common(one: string, other: string): Promise<string | undefined> {
    const { code, stdout } = await this.run(["merge-base", one, other]);
    const said = new TextDecoder().decode(stdout).trim();
    return code === 0 && isRevision(said) ? said : undefined;
  }

  /** Reports whether a commit is here. */
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
