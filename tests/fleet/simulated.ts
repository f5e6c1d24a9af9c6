/**
 * A fleet of simulated hosts in rings. Each host is a world with the real
 * program. Ring 0 has no gate, ring 1 waits for the statuses of ring 0 at a
 * forge (a stand-in), and each later ring for the metrics of the ring before in
 * a real Prometheus. Each ring is a group of its own at a real etcd.
 *
 * @module
 */
import { EtcdMember } from "../locks/etcd_server.ts";
import { Server } from "../notify/programs.ts";
import { unboundGitopsSync } from "../world/gitops_sync.ts";
import type { Settings } from "../world/host.ts";
import { output, type Program, signalTo } from "../world/program.ts";
import {
  type Knobs,
  makeRepository,
  type Repository,
} from "../world/repository.ts";
import { World } from "../world/world.ts";
import { StandInForge } from "./forge.ts";
import { early, type Event, eventsOf, mostAtOnce } from "./order.ts";
import { Wire } from "./wire.ts";

/** The longest rollout, in milliseconds. */
const timeout = 6 * 3_600_000;

/** How a rollout is made. */
export interface Plan {
  /** How many hosts each ring has. */
  rings: readonly number[];
  /** How many hosts of a ring may change at a time. */
  slots: number;
  /** Whether hosts take their systems from a cache that `publish` fills. */
  isPublished: boolean;
  /** Whether leases end by a call of etcd, and nobody waits for them. */
  isQuick: boolean;
  /** Tells how it goes on. */
  say: (line: string) => void;
}

/** One simulated host. */
export interface SimulatedHost {
  name: string;
  ring: number;
  world: World;
  /** Whether its power is off. */
  isDead: boolean;
}

/** Where the hosts write down what they do, inside each. */
const diary = "/run/stand-in/diary";

/** Waits before the activation, if a file says so. */
const beforeActivation =
  `mkdir -p /run/stand-in; echo "slot $(date +%s%N) $GITOPS_SYNC_REVISION $GITOPS_SYNC_SYSTEM" >>${diary}
if [ -e /run/stand-in/stop-before ]; then touch /run/stand-in/stopped; sleep 300; fi`;

/** The activation of each revision; it too waits if a file says so. */
const activation =
  `echo "begin $(date +%s%N) \${0%/stand-in/activation}" >>${diary}
if [ -e /run/stand-in/stop-within ]; then touch /run/stand-in/stopped; sleep 300; fi
sleep 0.2`;

const afterDeployment =
  `echo "end $(date +%s%N) $GITOPS_SYNC_REVISION" >>${diary}`;

/** All hosts, with what they follow and tell. */
export class Simulated implements AsyncDisposable {
  readonly hosts: SimulatedHost[] = [];
  /** What a person did to slots. */
  readonly #freed: Event[] = [];
  #runs = 0;
  #promoted = "";

  private constructor(
    readonly plan: Plan,
    readonly folder: string,
    readonly forge: StandInForge,
    readonly repository: Repository,
    readonly etcd: EtcdMember,
    /** One for each ring, to etcd. */
    readonly wires: readonly Wire[],
    readonly ci: World,
    private readonly metrics: Deno.HttpServer<Deno.NetAddr>,
    private prometheus: Server | undefined,
  ) {}

  /** Starts the servers and makes the hosts. */
  static async make(plan: Plan): Promise<Simulated> {
    const folder = await Deno.makeTempDir({ prefix: "gitops-sync-rollout-" });
    const repository = await makeRepository(`${folder}/infra`, {
      // A system that was built once is the same for each commit.
      revision: false,
      activation,
    });
    const etcd = await EtcdMember.start({ timeout });
    const port = Number(new URL(etcd.url).port);
    const wires = plan.rings.map(() => new Wire(port));
    const metrics = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      (request) => fleet.#metricsOf(new URL(request.url).pathname.slice(1)),
    );
    const fleet: Simulated = new Simulated(
      plan,
      folder,
      new StandInForge(),
      repository,
      etcd,
      wires,
      await World.make(),
      metrics,
      undefined,
    );
    if (plan.isPublished) await fleet.#makeCache();
    const names = plan.rings.flatMap((many, ring) =>
      Array.from({ length: many }, (_, i) => ({ ring, name: `r${ring}-${i}` }))
    );
    await fleet.#startPrometheus(names);
    for (const { name, ring } of names) {
      const world = await World.make();
      world.write("/etc/gitops-sync/token", "none\n");
      world.configure(repository, fleet.#settingsOf(name, ring));
      fleet.hosts.push({ name, ring, world, isDead: false });
    }
    return fleet;
  }

  /** The number of the last ring. */
  get last(): number {
    return this.plan.rings.length - 1;
  }

  /** How many runs there were. */
  get runs(): number {
    return this.#runs;
  }

  async #makeCache(): Promise<void> {
    const key = `${this.folder}/key`;
    await this.ci.output(
      ["nix-store", "--generate-binary-cache-key", "ci-1", key, `${key}.pub`],
    );
  }

  /** Scrapes the file of metrics that each host writes. */
  async #startPrometheus(names: readonly { name: string; ring: number }[]) {
    const target = `127.0.0.1:${this.metrics.addr.port}`;
    const config = {
      global: { scrape_interval: "250ms" },
      scrape_configs: [{
        job_name: "node",
        static_configs: names.map(({ name, ring }) => ({
          targets: [target],
          labels: {
            __metrics_path__: `/${name}`,
            instance: name,
            ring: String(ring),
          },
        })),
      }],
    };
    const path = `${this.folder}/prometheus.yml`;
    await Deno.writeTextFile(path, JSON.stringify(config));
    this.prometheus = await Server.start(
      (port) => [
        "prometheus",
        `--config.file=${path}`,
        `--storage.tsdb.path=${this.folder}/prometheus`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      "/-/ready",
      { timeout },
    );
  }

  #metricsOf(name: string): Response {
    const host = this.hosts.find((host) => host.name === name);
    return new Response(
      host?.world.read("/var/lib/gitops-sync/metrics.prom") ?? "",
      { headers: { "Content-Type": "text/plain; version=0.0.4" } },
    );
  }

  /** What a host is configured with, beside what all tests have. */
  #settingsOf(host: string, ring: number): Settings {
    return {
      host,
      "fleet.ring": String(ring),
      "secrets.check": false,
      "commitStatus.forge": "forgejo",
      "commitStatus.url": this.forge.api,
      "commitStatus.project": "team/infra",
      "commitStatus.tokenFile": "/etc/gitops-sync/token",
      "metrics.textfile": "/var/lib/gitops-sync/metrics.prom",
      "hooks.preDeploy": [["sh", "-c", beforeActivation]],
      "hooks.postDeploy": [["sh", "-c", afterDeployment]],
      "lock.etcd.endpoints": [this.wires[ring]!.url],
      "lock.etcd.slots": this.plan.slots,
      "lock.group": `ring-${ring}`,
      ...this.#gatesOf(ring),
      ...this.plan.isPublished ? this.#cacheSettings() : {},
    };
  }

  #gatesOf(ring: number): Settings {
    const many = this.plan.rings[ring - 1];
    if (many === undefined) return {};
    if (ring === 1) {
      const names = Array.from({ length: many }, (_, i) => `r0-${i}`);
      return { "gates.checks": names.map((name) => `gitops-sync/${name}`) };
    }
    const healthy = `gitops_sync_revision_info{revision="{revision}",ring="${
      ring - 1
    }"}`;
    return {
      "gates.prometheus": [{
        url: this.prometheus!.url,
        query: `count(${healthy}) == bool ${many}`,
      }],
    };
  }

  #cacheSettings(): Settings {
    const trusted = Deno.readTextFileSync(`${this.folder}/key.pub`);
    const options = Object.entries({
      substitute: "true",
      substituters: `file://${this.folder}/cache`,
      "trusted-public-keys": trusted,
    }).flatMap(([name, value]) => ["--option", name, value]);
    return {
      ref: "deploy",
      "build.from": "cache",
      "build.options": options,
    };
  }

  /**
   * Commits and publishes; gives the revision that hosts see.
   *
   * @param badIn The hosts of these rings come out of it unhealthy.
   */
  async promote(
    message: string,
    badIn: readonly number[] = [],
  ): Promise<string> {
    const bad: Knobs = { exit: { test: 4 } };
    const revision = await this.repository.publish(message, {
      knobs: {
        greeting: message,
        hosts: Object.fromEntries(
          this.hosts.map(({ name, ring }) => [
            name,
            badIn.includes(ring) ? bad : {},
          ]),
        ),
      },
    });
    if (this.plan.isPublished) await this.#publish();
    const now = await this.#tip();
    if (now === this.#promoted) throw new Error(`${revision} changes nothing`);
    return this.#promoted = now;
  }

  /** As CI does. */
  async #publish(): Promise<void> {
    await this.ci.output([
      ...[...unboundGitopsSync, "publish", this.repository.folder],
      ...["--cache", `file://${this.folder}/cache`],
      ...["--cache-key", `${this.folder}/key`, "--branch", "deploy"],
    ], { timeout });
  }

  async #tip(): Promise<string> {
    const branch = this.plan.isPublished ? "deploy" : "main";
    const ref = `refs/heads/${branch}`;
    return (await this.repository.git("ls-remote", "origin", ref))
      .split("\t")[0]!;
  }

  /** The revision that was promoted last. */
  get promoted(): string {
    return this.#promoted;
  }

  /**
   * Lets each host do one run, in an order of chance.
   *
   * @param hosts Some of them.
   */
  async tick(hosts: readonly SimulatedHost[] = this.hosts): Promise<void> {
    const next = hosts
      .filter(({ isDead }) => !isDead)
      .map((host) => ({ host, at: Math.random() }))
      .sort((a, b) => a.at - b.at).values();
    const work = async () => {
      for (const { host: { world } } of next) {
        this.#runs++;
        // A pause after a failure, and a hold, are as on a real host.
        await world.sync();
      }
    };
    // More than there are slots, or nobody would ever wait for one.
    const atOnce = this.plan.slots + 3;
    await Promise.all(Array.from({ length: atOnce }, work));
  }

  /** The hosts that have deployed a revision and run it. */
  running(revision: string): SimulatedHost[] {
    return this.hosts.filter(({ world }) => {
      const good = world.state()?.lastGood;
      return good?.revision === revision && good.system === world.running();
    });
  }

  /** All that the hosts have written down. */
  events(): Event[] {
    return [
      ...this.hosts.flatMap(({ world, name, ring }) =>
        eventsOf(world.read(diary) ?? "", name, ring)
      ),
      ...this.#freed,
    ];
  }

  /** The hosts whose activation of a revision has begun at some time. */
  activated(revision: string): SimulatedHost[] {
    const names = new Set(
      this.events().filter((event) =>
        event.revision === revision && event.kind === "begin"
      ).map(({ host }) => host),
    );
    return this.hosts.filter(({ name }) => names.has(name));
  }

  /**
   * Lets hosts run until all of them run a revision, or nothing more comes.
   *
   * @param patience How many rounds may bring nothing new.
   */
  async settle(
    revision: string,
    hosts: readonly SimulatedHost[] = this.hosts,
    patience = 5,
  ): Promise<void> {
    for (let idle = 0, before = -1, round = 1; idle < patience; round++) {
      await this.tick(hosts.filter((host) => !this.#isThere(host, revision)));
      const there = this.running(revision).length;
      const begun = this.activated(revision).length;
      this.plan.say(
        `  round ${round}: ${there} of ${this.hosts.length} run ${
          revision.slice(0, 12)
        }, ${begun} have activated it`,
      );
      if (hosts.every((host) => this.#isThere(host, revision))) return;
      idle = there + begun === before ? idle + 1 : 0;
      before = there + begun;
      await this.scraped();
    }
  }

  /** Until Prometheus has looked at the hosts again. */
  async scraped(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 600));
  }

  /** Whether more runs of a host would change nothing. */
  #isThere({ isDead, world }: SimulatedHost, revision: string): boolean {
    const state = world.state();
    // A slot that could not be given back is, by a later run.
    return isDead ||
      state?.lastGood?.revision === revision && state.slot === undefined;
  }

  /** The slots of a ring, as etcd has them. */
  async slots(ring: number) {
    return (await this.etcd.slots()).filter(({ key }) =>
      key.startsWith(`ring-${ring}/`)
    );
  }

  /** The first hosts of the last ring: as many as there are slots. */
  get victims(): SimulatedHost[] {
    return this.hosts.filter(({ ring }) => ring === this.last)
      .slice(0, this.plan.slots);
  }

  /**
   * Starts a run of a host, and turns its power off in the midst of it.
   *
   * @param when Before the activation begins, or within it.
   */
  async die(host: SimulatedHost, when: "before" | "within"): Promise<void> {
    const { world } = host;
    world.write(`/run/stand-in/stop-${when}`, "");
    const run = world.startSync([]);
    let isOver = false;
    run.ended.then(() => isOver = true, () => isOver = true);
    while (!isOver && world.read("/run/stand-in/stopped") === null) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    killAllIn(run);
    await run.ended;
    host.isDead = true;
  }

  /** Turns the power of a host on again. */
  revive(host: SimulatedHost): void {
    for (const name of ["stop-before", "stop-within", "stopped"]) {
      const path = host.world.path(`/run/stand-in/${name}`);
      try {
        Deno.removeSync(path);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
    host.isDead = false;
  }

  /** Frees a slot as a person does, on another host of the ring. */
  async unlock(host: SimulatedHost): Promise<void> {
    const other = this.hosts.find(({ ring, isDead }) =>
      ring === host.ring && !isDead
    )!;
    const revision = host.world.state()?.slot?.revision ?? "";
    const { name, ring } = host;
    this.#freed.push({
      at: Date.now(),
      host: name,
      ring,
      revision,
      kind: "freed",
    });
    const why = ["--reason", "its power is off"];
    const { code, stdout, stderr } = await other.world
      .sync("fleet", "unlock", name, ...why);
    if (code !== 0) throw new Error(`fleet unlock: ${stdout}${stderr}`);
  }

  /** Ends the leases of a ring's slots, as their time does; or waits for that. */
  async endLeases(ring: number): Promise<void> {
    const end = Date.now() + 150_000;
    for (const { lease } of await this.slots(ring)) {
      if (lease === "0" || !this.plan.isQuick) continue;
      await this.etcd.call("lease/revoke", { ID: lease });
    }
    if (this.plan.isQuick) return;
    while (Date.now() < end && (await this.slots(ring)).length > 0) {
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }

  /** What is wrong with the order in which hosts changed, in words. */
  disorder(): string[] {
    const { rings, slots } = this.plan;
    const events = this.events();
    const crowded = rings.flatMap((_, ring) => {
      const most = mostAtOnce(events, ring);
      return most > slots
        ? [
          `${most} hosts of ring ${ring} were changed at once, ${slots} may be`,
        ]
        : [];
    });
    const hasty = early(events, rings);
    return [
      ...crowded,
      ...hasty.length > 0
        ? [`${hasty.join()} did not wait for the ring before`]
        : [],
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { world } of this.hosts) await world[Symbol.asyncDispose]();
    await this.prometheus?.[Symbol.asyncDispose]();
    await this.metrics.shutdown();
    for (const wire of this.wires) wire[Symbol.dispose]();
    await this.etcd[Symbol.asyncDispose]();
    await this.forge[Symbol.asyncDispose]();
    await this.ci[Symbol.asyncDispose]();
    await output(["chmod", "-R", "u+w", this.folder]);
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** Ends all processes of a world: those in the namespace of one of them. */
function killAllIn({ pid }: Program): void {
  const namespaceOf = (pid: string | number) => {
    try {
      return Deno.readLinkSync(`/proc/${pid}/ns/mnt`);
    } catch {
      return undefined;
    }
  };
  const own = namespaceOf(pid);
  if (own === undefined || own === namespaceOf("self")) return;
  for (;;) {
    const found = [...Deno.readDirSync("/proc")].map(({ name }) => name)
      .filter((name) => /^\d+$/.test(name) && namespaceOf(name) === own);
    if (found.length === 0) return;
    for (const name of found) signalTo(Number(name), "SIGKILL");
  }
}
