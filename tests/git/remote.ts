/**
 * What tests of remotes share: a configuration, a run that fetches into a
 * folder, and repositories made by `git fast-import`.
 *
 * @module
 */
import { assertRejects } from "@std/assert";
import type { Command, Effects } from "../../lib/base/effects.ts";
import { SyncError } from "../../lib/base/errors.ts";
import { type Config, optionNames, options } from "../../lib/config/schema.ts";
import type { Deployment, State } from "../../lib/state/state.ts";
import { targetOf } from "../../lib/run/decide.ts";
import { fetchRevision } from "../../lib/git/fetch.ts";
import { Run } from "../../lib/run/run.ts";
import { run } from "../../lib/process/run_command.ts";
import { askRemote } from "../../lib/git/remote.ts";
import { output } from "../world/program.ts";
import { gitEnvironment } from "../world/repository.ts";
import type { Fetched } from "../../lib/run/stages.ts";
import type { Tip } from "../../lib/base/tip.ts";

/** A whole configuration: the defaults, and what a test changes. */
export function configOf(changes: Partial<Config>): Config {
  const presets = optionNames.map((name) => {
    const { preset, kind } = options[name] as {
      preset?: unknown;
      kind: { read(value: unknown): unknown };
    };
    const value = typeof preset === "function" ? preset() : preset;
    return [name, value === undefined ? undefined : kind.read(value)];
  });
  const config = { ...Object.fromEntries(presets), ...changes };
  return {
    ...config,
    repository: options.repository.kind.read(config.repository),
  };
}

/** The programs that were run, and the real effects that ran them. */
export function watched(): { effects: Effects; commands: Command[] } {
  const commands: Command[] = [];
  const effects: Effects = {
    run: (command) => {
      commands.push(command);
      return run(command);
    },
    now: () => new Date(),
    monotonic: () => performance.now(),
    sleep: () => Promise.resolve(),
    tell: () => {},
  };
  return { effects, commands };
}

/** What a name on the remote points to; there must be one. */
export async function tipOf(changes: Partial<Config>): Promise<Tip> {
  const { tip } = await askRemote(watched().effects, configOf(changes));
  if (!tip) throw new Error("the remote has no such name");
  return tip;
}

/** Asks a remote that must not answer well; gives why. */
export async function refusedBy(changes: Partial<Config>): Promise<SyncError> {
  return await assertRejects(
    () => askRemote(watched().effects, configOf(changes)),
    SyncError,
  ) as SyncError;
}

/** A host's state folder, into which revisions are fetched. */
export class Fetching {
  readonly commands: Command[] = [];
  #effects: Effects;
  #lastGood: Deployment | undefined;
  /** Called before each program. */
  before: (command: Command) => void = () => {};
  /** What was said on the way. */
  readonly told: string[] = [];

  constructor(readonly folder: string, public changes: Partial<Config>) {
    const { effects, commands } = watched();
    this.commands = commands;
    this.#effects = {
      ...effects,
      run: (command) => {
        this.before(command);
        return effects.run(command);
      },
      tell: (event) => {
        if (event.kind === "message") this.told.push(event.text);
      },
    };
  }

  get mirror(): string {
    return `${this.folder}/repo`;
  }

  /** Asks for the tip, unless it is given, and fetches it. */
  async fetch(changes: Partial<Config> = {}, given?: Tip): Promise<Fetched> {
    const config = configOf({
      ...this.changes,
      stateDirectory: this.folder,
      ...changes,
    });
    const state: State = {
      version: 1,
      earlier: [],
      holds: [],
      ...(this.#lastGood ? { lastGood: this.#lastGood } : {}),
    };
    await Deno.mkdir(this.folder, { recursive: true });
    const tip = given ?? (await askRemote(this.#effects, config)).tip;
    if (!tip) throw new Error("the remote has no such name");
    const target = targetOf(config);
    const fetching = new Run(this.#effects, config, state);
    return await fetchRevision(fetching, tip, target);
  }

  /** Fetches, and takes what came for the last good revision. */
  async deploy(changes: Partial<Config> = {}): Promise<Fetched> {
    const fetched = await this.fetch(changes);
    const { commit, target } = fetched;
    this.#lastGood = {
      ...commit,
      target,
      system: "/nix/store/none",
      at: commit.committedAt,
    };
    await git(this.mirror, "update-ref", "--no-deref", "HEAD", commit.revision);
    return fetched;
  }

  /** How many objects the mirror has. */
  async objects(): Promise<number> {
    const text = await git(this.mirror, "count-objects", "-v");
    const number = (name: string) =>
      Number(new RegExp(`^${name}: (\\d+)`, "m").exec(text)?.[1]);
    return number("count") + number("in-pack");
  }

  /** How many commits a name reaches in the mirror. */
  async commits(...names: string[]): Promise<number> {
    return Number(await git(this.mirror, "rev-list", "--count", ...names));
  }
}

/** Runs Git in a folder, with no settings but ours. */
export function git(folder: string, ...args: string[]): Promise<string> {
  return output(["git", "-C", folder, ...args], { env: gitEnvironment });
}

/** Makes an empty bare repository. */
export async function makeBare(
  path: string,
  ...options: string[]
): Promise<string> {
  const usual = ["--quiet", "--bare", "--initial-branch=main"];
  await output(["git", "init", ...usual, ...options, path], {
    env: gitEnvironment,
  });
  return path;
}

/** Feeds a repository's history from a text; see git-fast-import(1). */
export async function importInto(path: string, stream: string): Promise<void> {
  await output(["git", "-C", path, "fast-import", "--quiet", "--force"], {
    env: gitEnvironment,
    input: stream,
  });
}

const zero = Date.UTC(2026, 0, 1) / 1000;

/** A commit for git fast-import, each a minute after the last. */
export function commitText(
  ref: string,
  n: number,
  more: { from?: string; merge?: string; files?: string } = {},
): string {
  return [
    `commit ${ref}`,
    `mark :${n}`,
    `committer Ada <ada@example.org> ${zero + 60 * n} +0000`,
    `data <<END\nCommit ${n}\nEND`,
    ...(more.from ? [`from ${more.from}`] : []),
    ...(more.merge ? [`merge ${more.merge}`] : []),
    more.files ?? `M 100644 inline n\ndata <<END\n${n}\nEND`,
    "",
  ].join("\n");
}

/** A bare repository `infra.git` of a few commits on main. */
export async function makeInfra(
  folder: string,
  commits = 1,
): Promise<string> {
  const path = await makeBare(`${folder}/infra.git`);
  await importInto(path, chain("refs/heads/main", 1, commits));
  return path;
}

/** Commits one after another, the first without a parent unless named. */
export function chain(
  ref: string,
  first: number,
  last: number,
  from?: string,
): string {
  let text = "";
  for (let n = first; n <= last; n++) {
    text += commitText(ref, n, n === first && from ? { from } : {});
  }
  return text;
}
