/**
 * One fault: a host in order, a revision on its way, a fault, and what is left.
 *
 * @module
 */
import { Machine } from "../machine/machine.ts";
import type { Program } from "../world/program.ts";
import {
  type Knobs,
  makeRepository,
  type Repository,
} from "../world/repository.ts";
import { brokenWeb, type Candidate } from "./candidates.ts";
import type { Kind, Point } from "./kinds.ts";
import { points } from "./kinds.ts";
import {
  type Bad,
  type Facts,
  factsOf,
  isInOrder,
  judge,
  settledFactsOf,
  timer,
} from "./verdict.ts";

/** One fault to inject. */
export interface Fault {
  /** The name of its kind or its candidate. */
  name: string;
  point: Point | "candidate";
  seed: number;
}

/** What came of it. */
export interface Result {
  fault: Fault;
  bad: Bad[];
  /** `false`: the run was over before its point was reached. */
  wasInjected: boolean;
  /** How the program ended, and evidence where something is bad. */
  exit: number;
  evidence: string;
}

const nothingWrong: Knobs = {
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

const settings = {
  retries: 0,
  drift: "correct",
  "timeouts.activate": "6s",
  "timeouts.health": "2s",
  "health.steady": "200ms",
};

/** Milliseconds within which a fault comes after its point was reached. */
const spans: Readonly<Record<Point, number>> = {
  "fetch": 80,
  "verify": 3,
  "secrets": 5,
  "build": 300,
  "prove": 5,
  "activate": 600,
  "health": 40,
  "confirm": 250,
  "way back": 500,
};

/** A host that faults are tried on, one after the other. */
export class Ground implements AsyncDisposable {
  /** The revisions that may stay. */
  readonly good = new Set<string>();
  #changes = 0;
  #earlier = "";

  private constructor(
    readonly machine: Machine,
    readonly repository: Repository,
  ) {}

  /** A new machine with a good system. */
  static async make(): Promise<Ground> {
    const machine = await Machine.boot();
    const repository = await makeRepository(`${machine.shared}/infra`);
    machine.configure(repository, settings);
    const foreign = await machine.makeKey("/root/foreign.key");
    const secret = await machine.encrypt(foreign, "password: swordfish\n");
    await machine.makeKey();
    const files = { "foreign.yaml": secret };
    await repository.publish("A secret of another host", { files });
    const ground = new Ground(machine, repository);
    await ground.putInOrder();
    ground.#earlier = machine.running()!;
    await ground.putInOrder();
    return ground;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.machine[Symbol.asyncDispose]();
  }

  /** Publishes a revision. */
  async publish(knobs: Knobs, isGood: boolean): Promise<string> {
    const greeting = `change ${++this.#changes}`;
    const revision = await this.repository.publish(greeting, {
      knobs: {
        ...nothingWrong,
        greeting,
        ...knobs,
        units: { ...follow, ...knobs.units },
      },
    });
    if (isGood) this.good.add(revision);
    return revision;
  }

  /** Publishes a good revision and has it deployed; gives what went wrong. */
  async putInOrder(): Promise<string | undefined> {
    const revision = await this.publish({}, true);
    const ended = await this.machine.sync("sync", "--now");
    const facts = await factsOf(this.machine);
    if (isInOrder(facts, revision)) return undefined;
    return JSON.stringify({ revision, ended, facts }, null, 1);
  }

  /** Tries a candidate that is bad by itself. */
  async tryCandidate(candidate: Candidate, seed: number): Promise<Result> {
    const revision = await this.publish(
      candidate.knobs,
      candidate.mayBeDeployed === true,
    );
    const { code, stderr } = await this.machine.sync("sync", "--now");
    await this.machine.run(["rm", "-rf", "/run/current-system.new"]);
    const fault: Fault = { name: candidate.name, point: "candidate", seed };
    return await this.#outcome(fault, {
      revision,
      exit: code,
      stderr,
      explains: candidate.explains,
      mayDiffer: false,
    });
  }

  /** Injects a fault at a point of a run. */
  async inject(kind: Kind, point: Point, seed: number): Promise<Result> {
    const random = randomOf(`${kind.name} ${point} ${seed}`);
    const isBad = point === "way back" ||
      (points.indexOf(point) < points.indexOf("confirm") && seed % 3 === 2);
    const pause = () => Math.round(random() * 30) / 100;
    const revision = await this.publish({
      ...isBad ? { services: brokenWeb } : {},
      build: `sleep ${pause()}`,
      hang: pause(),
      hangAfter: pause(),
    }, !isBad);
    const run = this.#start(kind);
    const { machine, repository } = this;
    const scene = { machine, repository, run, earlier: this.#earlier };
    const wasReached = await this.#reaches(point, run);
    await sleep(random() * spans[point]);
    const isOver = !wasReached || await isEnded(run);
    if (wasReached) await kind.inject(scene);
    const { code, stderr } = await run.ended;
    if (wasReached) await kind.repair?.(scene);
    const fault: Fault = { name: kind.name, point, seed };
    const result = await this.#outcome(fault, {
      revision,
      exit: code,
      stderr,
      explains: kind.explains,
      mayDiffer: kind.mayDiffer === true,
    });
    return { ...result, wasInjected: wasReached && !isOver };
  }

  #start(kind: Kind): Program {
    return kind.asService
      ? this.machine.start([
        "systemd-run",
        "--unit=gitops-sync-run",
        "--wait",
        "--collect",
        "--quiet",
        "--service-type=oneshot",
        "--property=TimeoutStopSec=5s",
        "gitops-sync",
        "sync",
        "--now",
      ])
      : this.machine.startSync(["sync", "--now"]);
  }

  /** Waits until a run has come to a point; `false` if it ended before. */
  async #reaches(point: Point, run: Program): Promise<boolean> {
    let isOver = false;
    run.ended.finally(() => isOver = true);
    while (!isOver) {
      const attempt = this.machine.state()?.attempt;
      const stage = points.indexOf(attempt?.stage as Point);
      const isThere = point === "way back"
        ? attempt?.undoing === true
        : stage >= points.indexOf(point);
      if (isThere) return true;
      await sleep(2);
    }
    return false;
  }

  async #outcome(
    fault: Fault,
    run: {
      revision: string;
      exit: number;
      stderr: string;
      explains: RegExp;
      mayDiffer: boolean;
    },
  ): Promise<Result> {
    const { machine, good } = this;
    const at = await factsOf(machine);
    const after = at.isSwitching ? await settledFactsOf(machine) : at;
    const bad = [at, after].flatMap((facts) =>
      judge(facts, good, run.exit === 8)
    ).filter((one) => one !== "unguarded" || !run.mayDiffer);
    const status = await this.#status();
    if (!explains(status, after, run)) bad.push("unexplained");
    const next = await machine.sync("sync", "--now");
    const later = await factsOf(machine);
    bad.push(...judge(later, good, next.code === 8));
    let notHealed: string | undefined;
    if (!isInOrder(later, run.revision)) notHealed = await this.putInOrder();
    if (notHealed) bad.push("not healed");
    return {
      fault,
      bad: [...new Set(bad)],
      wasInjected: true,
      exit: run.exit,
      evidence: bad.length === 0 ? "" : JSON.stringify(
        {
          revision: run.revision,
          stderr: run.stderr,
          after,
          status,
          next,
          later,
          notHealed,
        },
        null,
        1,
      ),
    };
  }

  async #status(): Promise<Status | undefined> {
    const { code, stdout } = await this.machine.sync("status", "--json");
    try {
      if (code !== 0) return undefined;
      const { running, bootDefault, agrees, why, next, last, attempt } = JSON
        .parse(stdout);
      return {
        running: { system: running.system },
        bootDefault: { system: bootDefault.system },
        agrees,
        why,
        next,
        last,
        attempt,
      };
    } catch {
      return undefined;
    }
  }
}

/** What is read of `status --json`. */
interface Status {
  running: { system: string | null };
  bootDefault: { system: string | null };
  agrees: boolean | null;
  why: string;
  next: string[];
  last: { message: string; hints: string[]; exit: number } | null;
  attempt: { stage: string } | null;
}

/** Whether the status says what the host shows, and why it is so. */
function explains(
  status: Status | undefined,
  facts: Facts,
  { revision, explains, exit }: {
    revision: string;
    explains: RegExp;
    exit: number;
  },
): boolean {
  if (!status) return false;
  const { running, profile } = facts;
  if (status.running.system !== (running?.path ?? null)) return false;
  if (status.bootDefault.system !== (profile?.path ?? null)) return false;
  const agrees = running?.revision === revision &&
    profile?.revision === revision && status.attempt === null;
  // A run that was cut off when all was done has not written that down yet.
  if (status.attempt === null && status.agrees !== agrees) return false;
  if (agrees) return true;
  const { why, next, last } = status;
  if (exit === 8 && last?.exit !== 8) return false;
  return explains.test(
    [why, ...next, last?.message, ...last?.hints ?? []].join("\n"),
  );
}

async function isEnded(run: Program): Promise<boolean> {
  let isOver = false;
  run.ended.finally(() => isOver = true);
  await sleep(0);
  return isOver;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Numbers from 0 to 1 that are the same for the same text (mulberry32). */
function randomOf(text: string): () => number {
  let state = 0;
  for (const char of text) {
    state = Math.imul(state ^ char.charCodeAt(0), 16777619);
  }
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
