/**
 * A machine that publishes: a checkout with several hosts, a cache in files,
 * and keys, in a world of its own.
 *
 * @module
 */
import { unboundGitopsSync } from "../world/gitops_sync.ts";
import type { Ended, Program, ProgramOptions } from "../world/program.ts";
import {
  type Knobs,
  makeRepository,
  type Repository,
} from "../world/repository.ts";
import { World } from "../world/world.ts";
import { mustFitSchema } from "../schema.ts";

/** Hosts by their names, as host.json has them. */
export type Hosts = Readonly<Record<string, Knobs>>;

/** The machine; its folder goes when it is disposed of. */
export class Publisher implements AsyncDisposable {
  private constructor(
    readonly world: World,
    readonly repository: Repository,
    /** The cache's folder. */
    readonly cache: string,
    /** The public key of the cache, for hosts. */
    readonly trusted: string,
    /** The line of the SSH key that signs commits. */
    readonly signer: string,
  ) {}

  /** Makes one with a first commit. */
  static async make(hosts: Hosts): Promise<Publisher> {
    const world = await World.make();
    const repository = await makeRepository(`${world.folder}/infra`, {
      revision: false,
      hosts,
    });
    await repository.publish("First");
    const key = `${world.folder}/cache-key`;
    await world.output(
      ["nix-store", "--generate-binary-cache-key", "ci-1", key, `${key}.pub`],
    );
    const ssh = `${world.folder}/commit-key`;
    await world.output(
      ["ssh-keygen", "-q", "-t", "ed25519", "-C", "", "-N", "", "-f", ssh],
    );
    return new Publisher(
      world,
      repository,
      `${world.folder}/cached`,
      await Deno.readTextFile(`${key}.pub`),
      (await Deno.readTextFile(`${ssh}.pub`)).trim(),
    );
  }

  /** The flags with which everything is signed and goes to a branch. */
  get usual(): string[] {
    return [
      ...["--cache", `file://${this.cache}`],
      ...["--cache-key", `${this.world.folder}/cache-key`],
      ...["--commit-key", `${this.world.folder}/commit-key`],
      ...["--branch", "deploy"],
    ];
  }

  /** Starts `gitops-sync publish` for the checkout. */
  start(args: readonly string[], options: ProgramOptions = {}): Program {
    const words = ["publish", this.repository.folder, ...args];
    return this.world.start([...unboundGitopsSync, ...words], options);
  }

  /** Runs it with the usual flags and more. */
  publish(...args: string[]): Promise<Ended> {
    return this.start([...this.usual, ...args]).ended;
  }

  /** The same with `--json`; gives the document, and the exit code. */
  async document(...args: string[]) {
    return documentOf(await this.publish("--json", ...args));
  }

  /** What Git says in the repository that hosts follow. */
  git(...args: string[]): Promise<string> {
    return this.world.output(["git", "-C", this.repository.bare, ...args]);
  }

  /** The system that a host finds, or `null`. */
  async systemOf(host: string): Promise<string | null> {
    const { code, stdout } = await this.world.run([
      ...["git", "-C", this.repository.bare, "show", `deploy:systems/${host}`],
    ]);
    return code === 0 ? stdout.trim() : null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world[Symbol.asyncDispose]();
  }
}

/** What a call wrote with `--json`, held to the schema. */
export function documentOf({ code, stdout, stderr }: Ended) {
  mustFitSchema(stdout);
  return { ...JSON.parse(stdout), code, stderr };
}

/** The results of hosts by their names. */
export function resultsOf(
  { hosts }: { hosts: { host: string; result: string }[] },
): Record<string, string> {
  return Object.fromEntries(hosts.map(({ host, result }) => [host, result]));
}
