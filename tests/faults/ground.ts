/**
 * A host that faults are tried on, one after the other: a machine with systemd,
 * or a world without. Its state folder is on a disk that forgets at a power cut
 * whatever was not synced.
 *
 * @module
 */
import type { Machine } from "../machine/machine.ts";
import type { Host, Settings } from "../world/host.ts";
import type { Program } from "../world/program.ts";
import type { Knobs, Repository } from "../world/repository.ts";
import { factsOf, timer } from "./facts.ts";
import { Blind } from "./blind.ts";
import { isInOrder } from "./verdict.ts";

/** What a run is started with. */
export interface StartOptions {
  /** A program that starts it, such as strace. */
  around?: readonly string[];
  /** `true`: it is the main process of a service. */
  asService?: true;
  /** `true`: it is on a terminal, which SIGHUP ends. */
  onTerminal?: true;
  env?: Readonly<Record<string, string>>;
}

/** A unit that cannot run. */
export const brokenWeb: Knobs["services"] = {
  web: { command: "echo port 80 is taken; exit 3", type: "simple" },
};

export const nothingWrong: Knobs = {
  services: { web: { command: "exec sleep 600", type: "simple" } },
  errno: undefined,
  activation: undefined,
  build: undefined,
  bootloader: undefined,
  exit: undefined,
  hang: undefined,
  hangAfter: undefined,
  secrets: undefined,
};

/** What each system has beside: a timer that must come again. */
const follow: Knobs["units"] = {
  [timer]:
    "[Timer]\nOnActiveSec=1h\nOnUnitInactiveSec=1h\n[Install]\nWantedBy=timers.target\n",
  "follow.service": "[Service]\nType=oneshot\nExecStart=true\n",
};

export const settings: Settings = {
  retries: 0,
  drift: "correct",
  "timeouts.activate": "6s",
  "timeouts.health": "2s",
  "health.steady": "200ms",
};

/** When a system was activated, by the clock of systemd (facts.ts reads it). */
const noteTime = (name: string) =>
  `mkdir -p /run/activated; cut -d ' ' -f 1 /proc/uptime >/run/activated/${name}`;

/** Keeps a program on a terminal, and hangs up when it gets SIGHUP. */
export const onTerminal = `import os, signal, sys
child, master = os.forkpty()
if child == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
gone = False
def hang_up(*_):
    global gone
    if not gone:
        os.close(master)
    gone = True
signal.signal(signal.SIGHUP, hang_up)
while not gone:
    try:
        if not os.read(master, 4096):
            break
    except OSError:
        break
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status) % 256)`;

/** A host in order; see {@linkcode MachineGround} and {@linkcode WorldGround}. */
export abstract class Ground implements AsyncDisposable {
  /** The revisions that may stay. */
  readonly good = new Set<string>();
  /** An earlier good system, for somebody who switches by hand. */
  earlier = "";
  readonly stateFolder = "/var/lib/gitops-sync";
  protected abstract readonly blinds: Blind;
  #changes = 0;

  protected constructor(readonly repository: Repository) {}

  abstract readonly place: "machine" | "world";
  abstract readonly host: Host;
  /** The same, where only one will do. */
  abstract get machine(): Machine;
  /** What makes a revision unfit for a host of this kind. */
  abstract readonly bad: Knobs;
  /** What is said of such a revision. */
  abstract readonly explainsBad: RegExp;
  /** Where strace writes. */
  abstract readonly trace: string;

  /** Starts gitops-sync. */
  abstract start(args: readonly string[], options?: StartOptions): Program;
  /** Cuts the power, and has it back. */
  abstract powerCut(): Promise<void>;
  abstract shutDown(): Promise<void>;
  /** The clock of the program from now on; how it is started with it. */
  abstract clock(ahead: number): Promise<StartOptions>;
  abstract [Symbol.asyncDispose](): Promise<void>;

  /** From its call `from` to `to`, a program answers otherwise. */
  blind(name: string, answer: string, from: number, to: number): Promise<void> {
    return this.blinds.set(name, answer, from, to);
  }
  /** All programs answer as they are again. */
  see(): Promise<void> {
    return this.blinds.set("none", "", 0, 0);
  }
  /** Whether one did. */
  wasBlind(): Promise<boolean> {
    return this.blinds.wasHit();
  }

  /** Publishes a revision. */
  async publish(knobs: Knobs, isGood: boolean): Promise<string> {
    const greeting = `change-${++this.#changes}`;
    const { activation = "rm -f /run/ill" } = knobs;
    const revision = await this.repository.publish(greeting, {
      knobs: {
        ...nothingWrong,
        greeting,
        ...knobs,
        activation: `${noteTime(greeting)}\n${activation}`,
        units: { ...follow, ...knobs.units },
      },
    });
    if (isGood) this.good.add(revision);
    return revision;
  }

  /** Publishes a good revision and has it deployed; gives what went wrong. */
  async putInOrder(): Promise<string | undefined> {
    const revision = await this.publish({}, true);
    const ended = await this.start(["sync", "--now"]).ended;
    const facts = await factsOf(this.host);
    if (isInOrder(facts, revision)) return undefined;
    return JSON.stringify({ revision, ended, facts }, null, 1);
  }

  /** Two good systems, one after the other. */
  protected async prepare(): Promise<void> {
    for (let times = 0; times < 2; times++) {
      const wrong = await this.putInOrder();
      if (wrong) throw new Error(`the host is not in order: ${wrong}`);
      if (times === 0) this.earlier = this.host.running()!;
    }
  }
}
