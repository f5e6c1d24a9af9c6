/**
 * A world in which no Nix program works: each only notes that it was started.
 * So a run of the whole program shows whether it came as far as an evaluation,
 * and costs a fifth of a second.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import type { Settings } from "../world/host.ts";
import { type Ended, output, run } from "../world/program.ts";
import {
  type Change,
  gitEnvironment,
  makeRepository,
  type Repository,
} from "../world/repository.ts";
import { World } from "../world/world.ts";
import { Keys } from "./keys.ts";
import { stateVersion } from "../../lib/state/state_file.ts";

/** What a case expects of the program. */
export type Expected = "evaluated" | { exit: number; reason: string };

/** One hostile thing, and what the program must make of it. */
export interface Case {
  name: string;
  /** Makes it, and says how the host is configured. */
  make: (lab: Lab) => Promise<Setup> | Setup;
  expected: Expected;
  /** A text that the answer must hold: key, file, name. */
  says?: string;
  /** What else must be so afterwards. */
  then?: (lab: Lab, answer: Answer) => Promise<void> | void;
}

/** How the program is called. */
export interface Setup {
  settings?: Settings;
  /** In place of `sync`. */
  args?: readonly string[];
  /** In place of the configuration that settings make. */
  text?: string;
  /** Variables that the program is started with. */
  env?: Readonly<Record<string, string>>;
  /** Ends what was begun for the case, and looks at what it saw. */
  done?: () => Promise<void>;
}

/** What the program did. */
export interface Answer {
  code: number;
  reason: string | undefined;
  evaluated: boolean;
  all: string;
}

/** In a file that a credential helper may read, and nowhere else. */
export const canary = "canary-7f1b5a90c2de4438";

/** Longer than any case may take; the timeouts of the program are shorter. */
const patience = 30_000;

const nixPrograms = [
  "nixos-rebuild",
  "nix",
  "nix-build",
  "nix-env",
  "nix-instantiate",
  "nix-store",
  "nix-shell",
];

/** A world with keys and one repository, to which each case adds branches. */
export class Lab implements AsyncDisposable {
  #cases = 0;
  /** The one commit that every case begins with. */
  base = "";
  /** `null`: another case has set something of its own. */
  #signer: string | undefined | null = null;

  /** What every call enters; none where each enters the world anew. */
  #entered: Entered | undefined;

  private constructor(
    readonly world: World,
    readonly repository: Repository,
    readonly keys: Keys,
  ) {}

  static async make(): Promise<Lab> {
    const world = await World.make();
    const keys = await Keys.make(join(world.folder, "keys"));
    const repository = await makeRepository(join(world.folder, "infra"));
    const lab = new Lab(world, repository, keys);
    for (const name of nixPrograms) {
      world.write(
        `/shims/${name}`,
        '#!/bin/sh\necho "$0 $*" >>"${0%/*}/log"\nexit 99\n',
      );
      await Deno.chmod(world.path(`/shims/${name}`), 0o755);
    }
    // Of a store it looks how much room there is.
    await Deno.mkdir(world.path("/nix/store"), { recursive: true });
    world.write("/etc/gitops-sync/token", `${canary}\n`);
    await repository.git("config", "include.path", "signing");
    await lab.signWith();
    lab.base = await repository.publish("The base");
    await lab.fresh();
    return lab;
  }

  /** A path of the world, as programs in it see it. */
  get inside(): string {
    return this.world.folder;
  }

  /** A new name for a branch or tag. */
  name(): string {
    return `case-${++this.#cases}`;
  }

  /** Goes back to the base, on no branch, and sets how commits are signed. */
  async begin(signer?: string, from = this.base): Promise<void> {
    await this.repository.git(
      "checkout",
      "--quiet",
      "--force",
      "--detach",
      from,
    );
    await this.repository.git("clean", "-qfdx");
    await this.signWith(signer);
  }

  /** Later commits and tags are signed with this key, or not at all. */
  async signWith(signer?: string): Promise<void> {
    const { repository, keys } = this;
    if (signer === this.#signer) return;
    this.#signer = signer;
    const lines = signer === undefined ? [] : [
      `format = ${keys.formatOf(signer)}`,
      `program = ${keys.gpg}`,
      `[user]`,
      `signingkey = ${keys.signingKey(signer)}`,
    ];
    await Deno.writeTextFile(
      join(repository.folder, ".git", "signing"),
      [`[commit]`, `gpgsign = ${signer !== undefined}`, `[gpg]`, ...lines, ""]
        .join("\n"),
    );
  }

  /** The next commits are signed by this program in place of gpg. */
  async signAs(program: string): Promise<void> {
    this.#signer = null;
    const file = join(this.repository.folder, ".git", "signing");
    const text = await Deno.readTextFile(file);
    await Deno.writeTextFile(file, text.replace(this.keys.gpg, program));
  }

  /** Pushes a revision to a new branch; gives settings that follow it. */
  async branch(revision = "HEAD"): Promise<Settings> {
    const ref = this.name();
    await this.push(revision, `refs/heads/${ref}`);
    return { ref };
  }

  async push(revision: string, ref: string): Promise<void> {
    const { repository } = this;
    await repository.git(
      "push",
      "--quiet",
      "--force",
      "origin",
      `${revision}:${ref}`,
    );
  }

  /** A commit on the base, signed or not, on a new branch. */
  async signed(signer?: string, change?: Change): Promise<Settings> {
    await this.begin(signer);
    await this.repository.commit("A change", change);
    return await this.branch();
  }

  /** Writes an object as it is, whether Git likes it or not. */
  async object(type: string, content: string | Uint8Array): Promise<string> {
    return await output(
      ["git", "hash-object", "-t", type, "-w", "--literally", "--stdin"],
      {
        cwd: this.repository.folder,
        env: gitEnvironment,
        input: typeof content === "string" ? content : content,
      },
    );
  }

  /** A commit that was changed after it was signed. */
  async changed(
    signer: string | undefined,
    change: (content: string) => string,
  ): Promise<Settings> {
    await this.begin(signer);
    await this.repository.commit("A change");
    const before = await this.repository.git("cat-file", "commit", "HEAD");
    const after = change(before + "\n");
    assert(after !== before + "\n", "the case changes nothing");
    return await this.branch(await this.object("commit", after));
  }

  /** A file of the host with this content; gives its path. */
  file(content: string | Uint8Array, mode = 0o644): string {
    const path = join(this.inside, "files", this.name());
    Deno.mkdirSync(join(this.inside, "files"), { recursive: true });
    const bytes = typeof content === "string"
      ? new TextEncoder().encode(content)
      : content;
    Deno.writeFileSync(path, bytes);
    Deno.chmodSync(path, mode);
    return path;
  }

  /** Settings that trust these SSH keys. */
  trusting(...signers: string[]): Settings {
    const lines = signers.map((name) => this.keys.signerLine(name));
    return this.signers(lines.join(""));
  }

  /** Settings with this text as the allowed signers. */
  signers(text: string): Settings {
    return { "verify.mode": "head", "verify.allowedSigners": this.file(text) };
  }

  /** Settings that trust these OpenPGP keys. */
  trustingPgp(...signers: string[]): Settings {
    const files = signers.map((name) => this.keys.publicPgp(name));
    return { "verify.mode": "head", "verify.openpgpKeys": files };
  }

  /**
   * The host has deployed this revision of the ref before.
   *
   * @param more What else is in the state.
   * @param deployment What else is known of that deployment.
   */
  deployed(
    revision: string,
    settings: Settings,
    more: Record<string, unknown> = {},
    deployment: Record<string, unknown> = {},
  ): void {
    const lastGood = this.deployment(revision, settings, deployment);
    this.state({ lastGood, ...more });
  }

  /** A deployment as the state tells it. */
  deployment(
    revision: string,
    settings: Settings,
    more: Record<string, unknown> = {},
  ) {
    const at = "2026-01-01T00:00:00.000Z";
    return {
      revision,
      subject: "",
      author: "",
      committedAt: at,
      target: {
        repository: settings.repository ?? this.world.urlOf(this.repository),
        ref: settings.ref ?? "main",
        directory: "",
        host: "demo",
        operation: "switch",
      },
      system: `/nix/store/${"0".repeat(32)}-nixos-system-demo`,
      at,
      ...more,
    };
  }

  /** A person's word that the followed ref may be moved to a revision. */
  accepted(
    revision: string,
    settings: Settings,
    more: Record<string, unknown> = {},
  ) {
    const { target: { repository, ref } } = this.deployment(revision, settings);
    const now = Date.now();
    return {
      revision,
      repository,
      ref,
      at: new Date(now).toISOString(),
      until: new Date(now + 60_000).toISOString(),
      ...more,
    };
  }

  /** Writes the state as the program would have. */
  state(more: Record<string, unknown>): void {
    const state = { version: stateVersion, earlier: [], holds: [], ...more };
    this.world.write("/var/lib/gitops-sync/state.json", JSON.stringify(state));
  }

  /** The state folder, seen from outside. */
  get folder(): string {
    return this.world.path("/var/lib/gitops-sync");
  }

  /** Calls the program. */
  call(...args: string[]): Promise<Answer> {
    return this.callWith({}, args);
  }

  /** Calls the program with more variables. */
  async callWith(
    env: Readonly<Record<string, string>>,
    args: readonly string[],
  ): Promise<Answer> {
    const ended = await this.#run(
      [...alone, Deno.execPath(), "run", "-A", program, ...args],
      { ...this.#env(), ...env },
    );
    let reason: string | undefined;
    try {
      const result = JSON.parse(ended.stdout);
      reason = result.error?.reason ?? result.hold?.reason;
    } catch {
      // Without --json, or nothing at all.
    }
    const log = this.world.path("/shims/log");
    const evaluated = await exists(log);
    if (evaluated) await Deno.remove(log);
    return {
      code: ended.code,
      reason,
      evaluated,
      all: ended.stdout + ended.stderr,
    };
  }

  async #run(
    argv: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Promise<Ended> {
    const entered = this.#entered;
    // Another folder in its place would not be seen there.
    if (entered?.folder !== (await Deno.lstat(this.folder)).ino) {
      return await this.world.run(argv, { env, timeout: patience });
    }
    const all = Object.entries({ ...entered.env, ...env })
      .map(([name, value]) => `${name}=${value}`);
    const target = `--target=${entered.pid}`;
    return await run(
      ["nsenter", target, ...insides, "env", "-i", ...all, ...argv],
      { timeout: patience },
    );
  }

  #env(): Record<string, string> {
    const shims = join(this.inside, "shims");
    const bin = join(checkout, "tests", "world", "bin");
    return { PATH: `${shims}:${bin}:${Deno.env.get("PATH")}` };
  }

  /** Runs one case from a fresh state, and holds it to what it expects. */
  async run(one: Case): Promise<void> {
    await this.fresh();
    const setup = await one.make(this);
    try {
      this.world.configure(this.repository, {
        "timeouts.remote": "5s",
        "timeouts.fetch": "10s",
        retries: 0,
        ...setup.settings,
      });
      if (setup.text !== undefined) {
        this.world.write("/etc/gitops-sync/config.yaml", setup.text);
      }
      const args = [...(setup.args ?? ["sync"]), "--json"];
      const answer = await this.callWith(setup.env ?? {}, args);
      this.#judge(one, answer);
      await one.then?.(this, answer);
    } finally {
      await setup.done?.();
    }
    for (const name of ["state.json", "history.jsonl"]) {
      const file = join(this.folder, name);
      if (await isPlain(file)) {
        const text = await Deno.readTextFile(file);
        assert(!text.includes(canary), `a secret leaked:\n${text}`);
      }
    }
    assert(!await exists(join(this.inside, "pwned")), "foreign code ran");
  }

  #judge({ expected, says }: Case, answer: Answer): void {
    const { all } = answer;
    assert(!all.includes("bug in gitops-sync"), all);
    assert(!/"reason": "bug"/.test(all), all);
    this.refuseLeaks(all);
    if (expected === "evaluated") {
      assert(answer.evaluated, `not evaluated:\n${all}`);
    } else {
      const { exit, reason } = expected;
      assertEquals([answer.code, answer.reason], [exit, reason], all);
      assert(!answer.evaluated, `evaluated:\n${all}`);
    }
    if (says !== undefined) assert(all.includes(says), `${says}\n${all}`);
  }

  /** No secret, and nothing that a terminal obeys. */
  refuseLeaks(text: string): void {
    assert(!text.includes(canary), `a secret leaked:\n${text}`);
    const raw =
      // deno-lint-ignore no-control-regex
      /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/
        .exec(
          text,
        );
    assert(raw === null, `a raw control character: ${JSON.stringify(text)}`);
  }

  /** Forgets what the program knows. */
  async fresh(): Promise<void> {
    const { folder } = this;
    const info = await Deno.lstat(folder).catch(() => undefined);
    if (info?.isDirectory && info.ino === this.#entered?.folder) {
      await output(["find", folder, "-xdev", "-mindepth", "1", "-delete"]);
      await Deno.chown(folder, Deno.uid(), Deno.gid());
      await Deno.chmod(folder, 0o700);
      return;
    }
    await output(["rm", "-rf", "--one-file-system", folder]);
    await Deno.mkdir(folder, { mode: 0o700 });
    this.#entered = await entered(this.world, folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world[Symbol.asyncDispose]();
  }
}

/** A world that stays entered: to enter one anew is a tenth of a call. */
interface Entered {
  pid: number;
  /** Which state folder it has (stat(2), `st_ino`). */
  folder: number;
  /** What enter.sh has set, and the test itself. */
  env: Readonly<Record<string, string>>;
}

const insides = ["--mount", "--root", "--wd"];

/** Without root there is a namespace of users, too, which is entered anew. */
async function entered(
  world: World,
  folder: string,
): Promise<Entered | undefined> {
  if (Deno.uid() !== 0) return undefined;
  const { pid } = world.start(["sleep", "infinity"]);
  const textOf = (name: string) => Deno.readTextFile(`/proc/${pid}/${name}`);
  while ((await textOf("comm")).trim() !== "sleep") {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const lines = (await textOf("environ")).split("\0").filter(Boolean);
  const env = lines.map((line) => {
    const at = line.indexOf("=");
    return [line.slice(0, at), line.slice(at + 1)];
  });
  const { ino } = await Deno.lstat(folder);
  return { pid, folder: ino!, env: Object.fromEntries(env) };
}

/**
 * Without the processes of the machine: another test's nixos-rebuild is none
 * of this host's.
 */
export const alone = [
  "unshare",
  "--pid",
  "--fork",
  "--kill-child",
  "--mount-proc",
] as const;

const checkout = join(import.meta.dirname!, "..", "..");

const program = join(checkout, "gitops_sync.ts");

/** Whether something is there, whatever it is. */
async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

async function isPlain(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(({ isFile }) => isFile, () => false);
}
