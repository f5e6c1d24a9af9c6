/**
 * Repositories with stand-in systems, the same on every machine and every day:
 * the commit of one test is the commit of the next.
 *
 * @module
 */
import { dirname, join } from "node:path";
import { output } from "./program.ts";

const template = join(import.meta.dirname!, "..", "system");

/** One service of a stand-in host. */
export type Service = string | {
  command: string;
  type: "oneshot" | "simple";
  /** More lines for the sections of its unit file. */
  unit?: readonly string[];
  service?: readonly string[];
};

/**
 * What host.json says; tests/system/flake.nix tells what each key means.
 * `undefined` takes a key out again.
 */
export interface Knobs {
  hosts?: readonly string[] | Readonly<Record<string, Knobs>> | undefined;
  system?: string | undefined;
  revision?: boolean | undefined;
  greeting?: string | undefined;
  kernel?: string | undefined;
  secrets?: readonly string[] | undefined;
  manifest?: "" | "script" | "systemd" | undefined;
  sops?: {
    ageSshKeyPaths?: readonly string[];
    sshKeyPaths?: readonly string[];
    gnupgHome?: string;
    environment?: Readonly<Record<string, string>>;
  } | undefined;
  keyFile?: string | undefined;
  services?: Readonly<Record<string, Service>> | undefined;
  units?: Readonly<Record<string, string | null>> | undefined;
  fstab?: string | undefined;
  userActivation?: string | undefined;
  preSwitchChecks?: Readonly<Record<string, string>> | undefined;
  activation?: string | undefined;
  build?: string | undefined;
  dependencies?: Readonly<Record<string, string>> | undefined;
  exit?:
    | Partial<Readonly<Record<"test" | "boot" | "switch", number>>>
    | undefined;
  errno?: number | undefined;
  release?: "24.11" | "26.05" | undefined;
  bootloader?: "works" | "silent" | undefined;
  dryWords?: string | undefined;
  hang?: number | undefined;
  hangAfter?: number | undefined;
}

/** What a commit changes. */
export interface Change {
  /** Merged into those of the commit before. */
  knobs?: Knobs;
  /** Files by their path in the repository; `null` removes one. */
  files?: Readonly<Record<string, string | Uint8Array | null>>;
}

/** The variables for Git that leave nothing to the machine it runs on. */
export const gitEnvironment: Readonly<Record<string, string>> = {
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_TERMINAL_PROMPT: "0",
  GIT_AUTHOR_NAME: "Ada",
  GIT_AUTHOR_EMAIL: "ada@example.org",
  GIT_COMMITTER_NAME: "Ada",
  GIT_COMMITTER_EMAIL: "ada@example.org",
};

/** When the first commit is made; each later one is a minute after the last. */
const firstCommit = Date.UTC(2026, 0, 1);

/**
 * Makes a repository with one stand-in host, `demo`: a work tree in `folder`
 * and the bare repository that it is pushed to, `folder.git`. Nothing is
 * committed yet.
 */
export async function makeRepository(
  folder: string,
  knobs: Knobs = {},
): Promise<Repository> {
  const repository = new Repository(folder, {
    hosts: ["demo"],
    system: `${Deno.build.arch}-linux`,
    ...knobs,
  });
  await Deno.mkdir(folder, { recursive: true });
  await git(folder, "init", "--quiet", "--initial-branch=main");
  await git(
    folder,
    "init",
    "--quiet",
    "--bare",
    "--initial-branch=main",
    repository.bare,
  );
  await git(folder, "remote", "add", "origin", repository.bare);
  for await (const entry of Deno.readDir(template)) {
    await Deno.copyFile(join(template, entry.name), join(folder, entry.name));
  }
  return repository;
}

/** A work tree and the bare repository behind it; see {@linkcode makeRepository}. */
export class Repository {
  #commits = 0;
  #knobs: Knobs;

  constructor(readonly folder: string, knobs: Knobs) {
    this.#knobs = knobs;
  }

  /** The folder of the bare repository. */
  get bare(): string {
    return `${this.folder}.git`;
  }

  /** Runs Git in the work tree; gives what it wrote to standard output. */
  git(...args: string[]): Promise<string> {
    return git(this.folder, ...args);
  }

  /** Commits the whole work tree with a change; gives the revision. */
  async commit(message: string, change: Change = {}): Promise<string> {
    this.#knobs = { ...this.#knobs, ...change.knobs };
    await this.#write("host.json", JSON.stringify(this.#knobs, null, 2) + "\n");
    for (const [path, content] of Object.entries(change.files ?? {})) {
      await this.#write(path, content);
    }
    await this.git("add", "--all");
    const seconds = firstCommit / 1000 + 60 * this.#commits++;
    await output(
      ["git", "commit", "--quiet", "--allow-empty", "--message", message],
      {
        cwd: this.folder,
        env: {
          ...gitEnvironment,
          GIT_AUTHOR_DATE: `@${seconds} +0000`,
          GIT_COMMITTER_DATE: `@${seconds} +0000`,
        },
      },
    );
    return await this.head();
  }

  /** The revision of the work tree. */
  head(): Promise<string> {
    return this.git("rev-parse", "HEAD");
  }

  /** Pushes the work tree's revision to a branch (or another full ref). */
  async push(
    ref = "main",
    { force = false }: { force?: boolean } = {},
  ): Promise<void> {
    const to = ref.startsWith("refs/") ? ref : `refs/heads/${ref}`;
    await this.git(
      "push",
      "--quiet",
      ...(force ? ["--force"] : []),
      "origin",
      `HEAD:${to}`,
    );
  }

  /** Commits a change and pushes it to main; gives the revision. */
  async publish(message: string, change: Change = {}): Promise<string> {
    const revision = await this.commit(message, change);
    await this.push();
    return revision;
  }

  async #write(path: string, content: string | Uint8Array | null) {
    const file = join(this.folder, path);
    if (content === null) return await Deno.remove(file);
    await Deno.mkdir(dirname(file), { recursive: true });
    const bytes = typeof content === "string"
      ? new TextEncoder().encode(content)
      : content;
    await Deno.writeFile(file, bytes);
  }
}

function git(folder: string, ...args: string[]): Promise<string> {
  return output(["git", ...args], { cwd: folder, env: gitEnvironment });
}
