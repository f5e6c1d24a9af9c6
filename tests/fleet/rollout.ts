/**
 * A rollout over many simulated hosts in rings: each host is a world with the
 * real program, and all follow one repository and tell one forge. What a
 * promotion rests on (gates, locks) are the program's own options: those that
 * this program has are used, and the others are told to be missing.
 *
 *     deno run -A tests/fleet/rollout.ts [--rings 2,10,38] [--slots 3] [--only WORD]
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { optionNames } from "../../lib/config/schema.ts";
import type { StageTime } from "../../lib/state/state.ts";
import { freePort } from "../notify/programs.ts";
import type { Settings } from "../world/host.ts";
import { output, type Program, start } from "../world/program.ts";
import {
  type Knobs,
  makeRepository,
  type Repository,
} from "../world/repository.ts";
import { World } from "../world/world.ts";
import { StandInForge } from "./forge.ts";

/** Whether this program has an option. */
const knows = (name: string) => (optionNames as string[]).includes(name);

/** Runs at the same time: more make a small machine no faster. */
const atOnce = 4;

/** The longest rollout, in milliseconds. */
const longest = 6 * 3_600_000;

/** One simulated host. */
interface SimulatedHost {
  name: string;
  ring: number;
  world: World;
}

/** How a rollout is made. */
interface Plan {
  /** How many hosts each ring has. */
  rings: readonly number[];
  /** How many hosts may switch at a time. */
  slots: number;
}

/** All hosts, with what they follow and tell. */
class Rollout implements AsyncDisposable {
  readonly hosts: SimulatedHost[] = [];
  /** What went wrong, in words. */
  readonly wrong: string[] = [];
  /** Whether the hosts take a lock at etcd. */
  hasLock = false;
  etcd: Program | undefined;
  #etcdPort: number | undefined;

  private constructor(
    readonly plan: Plan,
    readonly folder: string,
    readonly forge: StandInForge,
    readonly repository: Repository,
  ) {}

  static async make(plan: Plan): Promise<Rollout> {
    const folder = await Deno.makeTempDir({ prefix: "gitops-sync-rollout-" });
    const names = plan.rings.flatMap((many, ring) =>
      Array.from({ length: many }, (_, i) => `r${ring}-${i + 1}`)
    );
    const forge = new StandInForge();
    const repository = await makeRepository(`${folder}/infra`, {
      hosts: names,
    });
    const rollout = new Rollout(plan, folder, forge, repository);
    rollout.hasLock = await rollout.#mayLock();
    if (rollout.hasLock) await rollout.startEtcd();
    for (const name of names) {
      const world = await World.make();
      const ring = Number(/^r(\d+)-/.exec(name)![1]);
      world.write("/etc/gitops-sync/token", "none\n");
      world.configure(repository, rollout.#settingsOf(name, ring));
      rollout.hosts.push({ name, ring, world });
    }
    return rollout;
  }

  /** A real etcd, where the program takes its lock there and it is installed. */
  async #mayLock(): Promise<boolean> {
    if (!knows("lock.etcd.endpoints")) return false;
    try {
      await output(["sh", "-c", "command -v etcd"]);
      return true;
    } catch {
      console.log("not tried: etcd is not installed");
      return false;
    }
  }

  /** Starts etcd, again with what it had if it ran before. */
  async startEtcd(): Promise<void> {
    this.#etcdPort ??= freePort();
    const client = `http://127.0.0.1:${this.#etcdPort}`;
    const peer = `http://127.0.0.1:${freePort()}`;
    this.etcd = start([
      "etcd",
      `--data-dir=${this.folder}/etcd`,
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=default=${peer}`,
    ], { timeout: longest });
    this.etcd.ended.catch(() => {});
    for (let tries = 0; tries < 200; tries++) {
      try {
        const response = await fetch(`${client}/health`);
        await response.body?.cancel();
        if (response.ok) return;
      } catch {
        // Not yet.
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error("etcd does not start");
  }

  /** Ends etcd as a power cut does. */
  async killEtcd(): Promise<void> {
    this.etcd?.kill();
    await this.etcd?.ended.catch(() => {});
    this.etcd = undefined;
  }

  /** What a host is configured with, beside what all tests have. */
  #settingsOf(host: string, ring: number): Settings {
    const { rings, slots } = this.plan;
    const tells = {
      "commitStatus.forge": "forgejo",
      "commitStatus.url": this.forge.api,
      "commitStatus.project": "team/infra",
      "commitStatus.tokenFile": "/etc/gitops-sync/token",
    };
    const before = Array.from(
      { length: rings[ring - 1] ?? 0 },
      (_, i) => `gitops-sync/r${ring - 1}-${i + 1}`,
    );
    const gates = knows("gates.checks") && before.length > 0
      ? { "gates.checks": before }
      : {};
    const lock = this.hasLock
      ? {
        "lock.etcd.endpoints": [`http://127.0.0.1:${this.#etcdPort}`],
        "lock.etcd.slots": slots,
        "lock.group": `ring-${ring}`,
      }
      : {};
    return {
      host,
      "fleet.ring": String(ring),
      "secrets.check": false,
      ...tells,
      ...gates,
      ...lock,
    } as Settings;
  }

  /** Lets each host do one run, in an order of chance. */
  async tick(): Promise<void> {
    const order = this.hosts
      .map((host) => ({ host, at: Math.random() }))
      .sort((a, b) => a.at - b.at).map(({ host }) => host);
    const next = order.values();
    const work = async () => {
      for (const { world } of next) {
        // A pause after a failure, and a hold, are as on a real host.
        await world.sync();
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
  }

  /** The hosts that run a revision. */
  running(revision: string): SimulatedHost[] {
    return this.hosts.filter(({ world }) => {
      const system = world.running();
      const text = system && world.read(`${system}/configuration-revision`);
      return text?.trim() === revision;
    });
  }

  /** The hosts that have activated a revision at some time. */
  activated(revision: string): SimulatedHost[] {
    return this.hosts.filter(({ world }) =>
      world.history().some(({ revision: of, stages }) =>
        of === revision &&
        (stages as StageTime[]).some(({ stage }) => stage === "activate")
      )
    );
  }

  /** Lets all run until nothing changes any more, at most so often. */
  async settle(revision: string, most = 2 + 2 * this.plan.rings.length) {
    for (let i = 1; i <= most; i++) {
      await this.tick();
      const there = this.running(revision).length;
      console.log(
        `  tick ${i}: ${there} of ${this.hosts.length} run ${
          revision.slice(0, 12)
        }, ${this.activated(revision).length} have activated it`,
      );
      if (there === this.hosts.length) return;
    }
  }

  must(isTrue: boolean, what: string): void {
    console.log(`  ${isTrue ? "ok " : "BAD"} ${what}`);
    if (!isTrue) this.wrong.push(what);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { world } of this.hosts) await world[Symbol.asyncDispose]();
    await this.killEtcd();
    await this.forge[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** A system whose activation fails. */
const bad: Knobs = { exit: { test: 1 } };
const good: Knobs = { exit: undefined };

/** Everything that is tried, in its order. */
const scenarios: readonly {
  name: string;
  /** Options of which one is needed, or it says nothing; empty: none is. */
  needs: readonly string[];
  run: (rollout: Rollout) => Promise<void>;
}[] = [
  {
    name: "a good revision reaches all",
    needs: [],
    run: async (rollout) => {
      const revision = await rollout.repository.publish("Good", {
        knobs: { ...good, greeting: "good" },
      });
      await rollout.settle(revision);
      const all = rollout.hosts.length;
      rollout.must(
        rollout.running(revision).length === all,
        `all ${all} hosts run it`,
      );
      const told = rollout.forge.statuses(revision)
        .filter(({ status }) => status === "success").length;
      rollout.must(told === all, `the forge has ${told} successes of ${all}`);
    },
  },
  {
    name: "a bad revision stops",
    needs: ["gates.checks", "lock.etcd.endpoints"],
    run: async (rollout) => {
      const before = await rollout.repository.head();
      const revision = await rollout.repository.publish("Bad", { knobs: bad });
      await rollout.settle(revision, 4);
      const seen = rollout.activated(revision);
      const { rings, slots } = rollout.plan;
      const most = (knows("gates.checks") ? rings.slice(0, 1) : rings)
        .map((many) => rollout.hasLock ? Math.min(slots, many) : many)
        .reduce((sum, many) => sum + many, 0);
      rollout.must(
        seen.length > 0 && seen.length <= most,
        `${seen.length} hosts have activated it, at most ${most} may`,
      );
      if (knows("gates.checks")) {
        rollout.must(
          seen.every(({ ring }) => ring === 0),
          "no host of a later ring has activated it",
        );
      }
      rollout.must(
        rollout.running(before).length === rollout.hosts.length,
        "all hosts run what they ran before",
      );
    },
  },
  {
    name: "a fix goes through after a bad one",
    needs: ["gates.checks", "lock.etcd.endpoints"],
    run: async (rollout) => {
      const revision = await rollout.repository.publish("Fix", {
        knobs: { ...good, greeting: "fixed" },
      });
      await rollout.settle(revision);
      rollout.must(
        rollout.running(revision).length === rollout.hosts.length,
        "all hosts run the fix",
      );
    },
  },
  {
    name: "without etcd no host activates, and then all go on",
    needs: ["lock.etcd.endpoints"],
    run: async (rollout) => {
      if (!rollout.hasLock) return;
      await rollout.killEtcd();
      const revision = await rollout.repository.publish("Alone", {
        knobs: { ...good, greeting: "alone" },
      });
      await rollout.tick();
      const { length } = rollout.activated(revision);
      rollout.must(length === 0, `${length} hosts have activated it`);
      await rollout.startEtcd();
      await rollout.settle(revision);
      rollout.must(
        rollout.running(revision).length === rollout.hosts.length,
        "all hosts run it once etcd is back",
      );
    },
  },
  {
    name: "two promotions in a row end at the second",
    needs: [],
    run: async (rollout) => {
      const { repository } = rollout;
      await repository.publish("Promotion 1", { knobs: { greeting: "one" } });
      await rollout.tick();
      const second = await repository.publish("Promotion 2", {
        knobs: { greeting: "two" },
      });
      await rollout.settle(second);
      rollout.must(
        rollout.running(second).length === rollout.hosts.length,
        "all hosts run the second",
      );
    },
  },
];

if (import.meta.main) {
  const given = parseArgs(Deno.args, { string: ["rings", "slots", "only"] });
  const plan: Plan = {
    rings: String(given["rings"] ?? "2,10,38").split(",").map(Number),
    slots: Number(given["slots"] ?? 3),
  };
  const only = String(given["only"] ?? "");
  const refusal = await World.refusal();
  if (refusal) {
    console.log(`no rollout on this machine: ${refusal}`);
    Deno.exit(2);
  }
  await using rollout = await Rollout.make(plan);
  for (const { name, needs, run } of scenarios) {
    if (!name.includes(only)) continue;
    console.log(name);
    if (needs.length > 0 && !needs.some(knows)) {
      console.log(`  not tried: this program has no ${needs.join(" or ")}`);
    } else await run(rollout);
  }
  const { wrong } = rollout;
  console.log(
    `${wrong.length} bad${wrong.map((one) => `\n- ${one}`).join("")}`,
  );
  Deno.exitCode = wrong.length > 0 ? 1 : 0;
}
