/**
 * The two kinds of hosts that faults are tried on.
 *
 * @module
 */
import { Disk } from "../host/disk.ts";
import { makeClock } from "../machine/clock.ts";
import { Machine } from "../machine/machine.ts";
import { output, type Program, signalTo } from "../world/program.ts";
import { unboundGitopsSync } from "../world/gitops_sync.ts";
import { makeRepository, type Repository } from "../world/repository.ts";
import { World } from "../world/world.ts";
import { Blind } from "./blind.ts";
import {
  brokenWeb,
  Ground,
  onTerminal,
  settings,
  type StartOptions,
} from "./ground.ts";

/** A real systemd host. */
export class MachineGround extends Ground {
  readonly place = "machine" as const;
  readonly bad = { services: brokenWeb };
  readonly explainsBad = /1 unit failed: web\.service/;

  private constructor(
    readonly host: Machine,
    repository: Repository,
    protected readonly blinds: Blind,
  ) {
    super(repository);
  }

  /** A new machine with a good system. */
  static async make(): Promise<MachineGround> {
    const machine = await Machine.boot({ withDisk: true });
    const repository = await makeRepository(`${machine.shared}/infra`);
    machine.configure(repository, settings);
    const foreign = await machine.makeKey("/root/foreign.key");
    const secret = await machine.encrypt(foreign, "password: swordfish\n");
    await machine.makeKey();
    const files = { "foreign.yaml": secret };
    await repository.publish("A secret of another host", { files });
    await makeClock(`${machine.shared}/program-clock.so`);
    const blinds = await Blind.make(machine, "/usr/local/sbin", "/run/blind");
    const ground = new MachineGround(machine, repository, blinds);
    await ground.prepare();
    return ground;
  }

  get machine(): Machine {
    return this.host;
  }

  get trace(): string {
    return `${this.host.folder}/trace`;
  }

  start(args: readonly string[], options: StartOptions = {}): Program {
    const { around, asService, onTerminal: isOnTerminal, env } = options;
    const argv = ["gitops-sync", ...args];
    if (asService) {
      return this.host.start([
        "systemd-run",
        "--unit=gitops-sync-run",
        "--wait",
        "--collect",
        "--quiet",
        "--service-type=oneshot",
        "--property=TimeoutStopSec=5s",
        ...argv,
      ]);
    }
    return this.host.start(
      isOnTerminal ? ["python3", "-c", onTerminal, ...argv] : argv,
      { ...around && { around }, ...env && { env } },
    );
  }

  async powerCut(): Promise<void> {
    await this.host.powerCut();
    await this.host.bootAgain();
  }

  async shutDown(): Promise<void> {
    await this.host.shutDown();
    await this.host.bootAgain();
  }

  clock(ahead: number): Promise<StartOptions> {
    this.host.write("/etc/clock", `${ahead}\n`);
    return Promise.resolve({ env: { LD_PRELOAD: "/srv/program-clock.so" } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host[Symbol.asyncDispose]();
  }
}

/** A host without systemd, which is up at once. */
export class WorldGround extends Ground {
  readonly place = "world" as const;
  // A world has no units: its health is asked of a command.
  readonly bad = { activation: "touch /run/ill" };
  readonly explainsBad = /test ! -e \/run\/ill/;

  private constructor(
    readonly host: World,
    repository: Repository,
    protected readonly blinds: Blind,
    readonly disk: Disk,
  ) {
    super(repository);
  }

  static async make(): Promise<WorldGround> {
    const world = await World.make();
    const disk = await Disk.make();
    await show(disk, world);
    const repository = await makeRepository(`${world.folder}/infra`);
    world.configure(repository, {
      ...settings,
      "health.steady": "50ms",
      "health.commands": [["test", "!", "-e", "/run/ill"]],
    });
    await makeClock(`${world.folder}/clock.so`);
    const folder = `${world.folder}/blind`;
    const blinds = await Blind.make(world, folder, `${folder}/control`);
    const ground = new WorldGround(world, repository, blinds, disk);
    await ground.prepare();
    return ground;
  }

  get machine(): Machine {
    throw new Error("this is a world");
  }

  get trace(): string {
    return `${this.host.folder}/trace`;
  }

  start(args: readonly string[], options: StartOptions = {}): Program {
    const { around = [], onTerminal: isOnTerminal, env } = options;
    const path = `${this.blinds.folder}:${
      new URL("../world/bin", import.meta.url).pathname
    }`;
    return this.host.start([
      ...around,
      ...isOnTerminal ? ["python3", "-c", onTerminal] : [],
      ...unboundGitopsSync,
      ...args,
    ], {
      env: { PATH: `${path}:${Deno.env.get("PATH")}:/usr/sbin:/sbin`, ...env },
    });
  }

  /** Everything ends that was started here, and what that has started. */
  async powerCut(): Promise<void> {
    for (let left = true; left;) {
      const mine = processesWith(`${this.host.folder}/`);
      for (const pid of mine) signalTo(pid, "SIGKILL");
      left = mine.length > 0;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await output(["umount", this.host.path(this.stateFolder)]);
    await this.disk.powerCut();
    await show(this.disk, this.host);
  }

  shutDown(): Promise<void> {
    throw new Error("a world can't be shut down");
  }

  clock(ahead: number): Promise<StartOptions> {
    const file = `${this.host.folder}/clock`;
    Deno.writeTextFileSync(file, `${ahead}\n`);
    const env = {
      LD_PRELOAD: `${this.host.folder}/clock.so`,
      TEST_CLOCK: file,
    };
    return Promise.resolve({ env });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await output(["umount", this.host.path(this.stateFolder)]);
    await this.host[Symbol.asyncDispose]();
    await this.disk[Symbol.asyncDispose]();
  }
}

function show(disk: Disk, world: World): Promise<string> {
  const folder = world.path("/var/lib/gitops-sync");
  return output(["mount", "--bind", disk.state, folder]);
}

/**
 * Processes that began with a path in their environment: enter.sh gives each
 * the folder of its world, whose name no other has.
 */
function processesWith(path: string): number[] {
  return Array.from(Deno.readDirSync("/proc"), ({ name }) => name)
    .filter((name) => /^\d+$/.test(name) && environmentOf(name).includes(path))
    .map(Number);
}

function environmentOf(pid: string): string {
  try {
    return new TextDecoder().decode(Deno.readFileSync(`/proc/${pid}/environ`));
  } catch {
    // It has ended.
    return "";
  }
}
