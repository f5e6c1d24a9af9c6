/**
 * A host with a real systemd, without a virtual machine: namespaces of its own
 * on a root folder of Debian (boot.sh, base.ts). Its power can be cut and its
 * cable pulled.
 *
 * @module
 */
import { join } from "node:path";
import { exists } from "@std/fs";
import { Disk } from "../host/disk.ts";
import { madeFolder } from "../world/gitops_sync.ts";
import { Host } from "../world/host.ts";
import {
  output,
  type Program,
  type ProgramOptions,
  run,
  signalTo,
  start,
} from "../world/program.ts";
import type { Repository } from "../world/repository.ts";
import { baseRoot } from "./base.ts";

const boot = join(import.meta.dirname!, "boot.sh");
const checkout = join(import.meta.dirname!, "..", "..");

/** Milliseconds in which a machine is up, on a slow and busy computer too. */
const patience = 60_000;

/** What a program in the machine sees; nothing of the test's own variables. */
const environment: Readonly<Record<string, string>> = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/root",
  LANG: "C.UTF-8",
  DENO_DIR: "/var/cache/deno",
  DENO_NO_UPDATE_CHECK: "1",
  SOPS_DISABLE_VERSION_CHECK: "1",
};

/** A machine; all that it was goes when it is disposed of. */
export class Machine extends Host implements AsyncDisposable {
  protected readonly program: readonly string[] = ["gitops-sync"];
  #programs = new Set<Program>();
  /** boot.sh, which lives as long as its standard input is open. */
  #supervisor: Deno.ChildProcess | undefined;
  #init = 0;
  /** Where the state folder is, if not with all other files. */
  #disk: Disk | undefined;

  private constructor(
    /** The folder of the machine, outside. */
    readonly folder: string,
    /** The arguments of boot.sh. */
    readonly parts: readonly string[],
  ) {
    super();
  }

  /**
   * Makes a new machine and boots it: a Debian without any system of ours.
   *
   * @param options `withDisk`: the state folder is on a disk of its own, which
   * forgets at a power cut whatever was not synced.
   */
  static async boot({ withDisk = false } = {}): Promise<Machine> {
    const base = await baseRoot();
    const sops = await output(["sh", "-c", "command -v sops"]);
    const made = await Deno.makeTempDir({ prefix: "gitops-sync-machine-" });
    const folder = await Deno.realPath(made);
    const machine = new Machine(folder, [
      folder,
      base,
      checkout,
      Deno.execPath(),
      sops,
      Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`,
      ...madeFolder ? [madeFolder] : [],
    ]);
    try {
      await Deno.mkdir(machine.shared);
      if (withDisk) await machine.#giveDisk();
      await machine.bootAgain();
      return machine;
    } catch (error) {
      await machine[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Why there can be no machine on this computer, or `null`. */
  static async refusal(): Promise<string | null> {
    if (Deno.uid() !== 0) return "a machine needs root";
    for (const program of ["debootstrap", "ip", "nsenter", "pgrep"]) {
      const found = await run(["sh", "-c", `command -v ${program}`], {
        env: { PATH: `${Deno.env.get("PATH")}:/usr/sbin:/sbin` },
      });
      if (found.code !== 0) return `a machine needs ${program}: ./dev setup`;
    }
    const flags = ["-m", "-p", "-f", "-u", "-i", "-C", "-n"];
    const probe = await run([
      "unshare",
      ...flags,
      "mount",
      "-t",
      "tmpfs",
      "tmpfs",
      "/mnt",
    ]);
    return probe.code === 0
      ? null
      : `a machine needs namespaces: ${probe.stderr.trim()}`;
  }

  /** A folder that is /srv in the machine, and there without power too. */
  get shared(): string {
    return `${this.folder}/shared`;
  }

  /** Process 1 of the machine, by its id outside. */
  get init(): number {
    this.#on();
    return this.#init;
  }

  override path(inside: string): string {
    return join(`/proc/${this.init}/root`, inside);
  }

  /** The repository must have been made in {@linkcode shared}. */
  override urlOf(repository: Repository): string {
    if (!repository.bare.startsWith(`${this.shared}/`)) {
      throw new Error(`${repository.bare} is not in ${this.shared}`);
    }
    return `file:///srv${repository.bare.slice(this.shared.length)}`;
  }

  override start(
    argv: readonly string[],
    { env, cwd, around = [], ...options }: ProgramOptions & {
      /** A program outside that starts it, such as strace. */
      around?: readonly string[];
    } = {},
  ): Program {
    const variables = Object.entries({ ...environment, ...env })
      .map(([name, value]) => `${name}=${value}`);
    const program = this.#track(start([
      ...around,
      "nsenter",
      `--target=${this.init}`,
      ...["--mount", "--pid", "--uts", "--ipc", "--cgroup", "--net", "--root"],
      `--wd=${this.path(cwd ?? "/root")}`,
      "env",
      "-i",
      ...variables,
      ...argv,
    ], options));
    // nsenter only waits for the program, which is its child.
    const signal = (name: Deno.Signal) => {
      for (const child of childrenOf(program.pid)) signalTo(child, name);
    };
    return { ...program, signal };
  }

  /**
   * Starts a program at the other end of the machine's cable: a server there
   * listens on 10.23.0.1. Otherwise it is a program of the real computer.
   */
  startOutside(argv: readonly string[], options: ProgramOptions = {}): Program {
    const supervisor = this.#on().pid;
    const enter = ["nsenter", `--target=${supervisor}`, "--net"];
    return this.#track(start([...enter, ...argv], options));
  }

  /** Pulls the cable: what is sent from now on goes nowhere. */
  async pullCable(): Promise<void> {
    await this.#setCable("down");
  }

  /** Puts the cable back. */
  async plugCable(): Promise<void> {
    await this.#setCable("up");
  }

  /** Kills all that runs in the machine at once; its files stay. */
  async powerCut(): Promise<void> {
    const supervisor = this.#on();
    this.#supervisor = undefined;
    // It may have ended already, which is as good.
    await new Blob(["cut\n"]).stream().pipeTo(supervisor.stdin)
      .catch(() => {});
    await supervisor.status;
    await this.#disk?.powerCut();
  }

  async #giveDisk(): Promise<void> {
    this.#disk = await Disk.make();
    // boot.sh shows what this leads to.
    await Deno.symlink(this.#disk.state, `${this.folder}/disk`);
  }

  /** Shuts the machine down in good order; then it is off. */
  async shutDown(): Promise<void> {
    const root = this.#root;
    // Whatever it answers: it may be gone before it has.
    await this.run(["systemctl", "poweroff"]);
    await this.#goesDown(root);
  }

  /**
   * Waits until the machine has gone down by itself, as for a reboot; then it
   * is off, and bootAgain goes on with it.
   */
  async goesDown(): Promise<void> {
    await this.#goesDown(this.#root);
  }

  get #root(): string {
    return `/proc/${this.init}`;
  }

  async #goesDown(root: string): Promise<void> {
    await this.#until(
      "does not shut down",
      async () => !await exists(root),
      () => false,
    );
    await this.powerCut();
  }

  /** Boots the machine after it was off, as it was left. */
  async bootAgain(): Promise<void> {
    if (this.#supervisor) throw new Error("the machine is on");
    this.#supervisor = new Deno.Command(boot, {
      args: [...this.parts],
      stdin: "piped",
      stdout: "null",
      stderr: "inherit",
      // Ctrl-C ends the test, and that ends this one.
      detached: true,
    }).spawn();
    await this.#comesUp();
  }

  /** What systemd says of itself: `running`, `degraded`, … */
  async health(): Promise<string> {
    const { stdout } = await this.run(["systemctl", "is-system-running"]);
    return stdout.trim();
  }

  /** The units that have failed. */
  async failedUnits(): Promise<string[]> {
    const list = await this.output(
      ["systemctl", "list-units", "--failed", "--plain", "--no-legend"],
    );
    return list.split("\n").map((line) => line.split(" ")[0]!)
      .filter((name) => name !== "");
  }

  /** Cuts the power and removes the folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#supervisor) await this.powerCut();
    const running = [...this.#programs];
    for (const program of running) program.kill();
    await Promise.allSettled(running.map((program) => program.ended));
    await this.#disk?.[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }

  /** The supervisor of a machine that is on. */
  #on(): Deno.ChildProcess {
    if (!this.#supervisor) throw new Error("the machine is off");
    return this.#supervisor;
  }

  #track(program: Program): Program {
    this.#programs.add(program);
    program.ended.catch(() => {}).finally(() => this.#programs.delete(program));
    return program;
  }

  async #setCable(state: "up" | "down"): Promise<void> {
    const program = this.startOutside(["ip", "link", "set", "cable", state], {
      env: { PATH: `${Deno.env.get("PATH")}:/usr/sbin:/sbin` },
    });
    const { code, stderr } = await program.ended;
    if (code !== 0) throw new Error(`Cannot set the cable ${state}: ${stderr}`);
  }

  /** Waits until systemd has started all that it wants. */
  async #comesUp(): Promise<void> {
    const id = `${this.folder}/init`;
    let isOff = false;
    this.#on().status.then(() => isOff = true);
    await this.#until("did not begin", () => exists(id), () => isOff);
    this.#init = Number(await Deno.readTextFile(id));
    const root = `/proc/${this.#init}`;
    await this.#until(
      "has no systemd",
      () => exists(`${root}/root/run/systemd/private`),
      async () => !await exists(root),
    );
    await this.run(["systemctl", "is-system-running", "--wait"], {
      timeout: patience,
    });
  }

  async #until(
    lack: string,
    isThere: () => Promise<boolean>,
    isHopeless: () => boolean | Promise<boolean>,
  ): Promise<void> {
    const end = Date.now() + patience;
    while (!await isThere()) {
      if (Date.now() > end || await isHopeless()) {
        const log = await Deno.readTextFile(`${this.folder}/boot.log`)
          .catch(() => "");
        throw new Error(`The machine ${lack}:\n${log}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/**
 * The processes that a process has started, as Linux lists them (proc(5));
 * none where it has ended.
 */
function childrenOf(pid: number): number[] {
  try {
    const list = `/proc/${pid}/task/${pid}/children`;
    return Deno.readTextFileSync(list).split(" ").filter((id) => id !== "")
      .map(Number);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
