/**
 * What a Git server spends on a fleet: `./dev bench fleet [HOSTS]`. All of it is
 * on loopback: a real `git http-backend`, the very question that a run with
 * nothing to do puts to it, and whole runs of the program for what a new commit
 * costs. Seconds of the server's processor, as the kernel counts them.
 *
 * Beside it stands the way of an agent that fetches all branches at each poll,
 * with the older protocol, in which a server lists all its refs. That is what
 * comin does, with its own implementation of Git; here Git itself does it.
 *
 * @module
 */
import { join } from "node:path";
import { inParallel } from "../../lib/publish/parallel.ts";
import { unboundGitopsSync } from "../world/gitops_sync.ts";
import { output } from "../world/program.ts";
import { makeRepository, type Repository } from "../world/repository.ts";
import { World } from "../world/world.ts";

/** How many hosts are simulated. */
const hosts = Number(Deno.args[0] ?? 1000);

/** How often each poll is measured. */
const rounds = 50;

/** Minutes between two runs of a host: those of the module, with its delay. */
const pause = { frequency: 30, randomizedDelay: 1 };

/** Minutes between two polls of comin, by default. */
const pauseOfComin = 1;

/** What the server has used so far. */
interface Used {
  /** Seconds. */
  cpu: number;
  requests: number;
  /** Bytes. */
  sent: number;
  /** Requests at once. */
  most: number;
}

/** A Git server for the repositories in a folder. */
class Server implements AsyncDisposable {
  private constructor(
    private readonly child: Deno.ChildProcess,
    readonly url: string,
  ) {}

  static async start(folder: string): Promise<Server> {
    const child = new Deno.Command("python3", {
      args: [join(import.meta.dirname!, "git_server.py"), folder],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const reader = child.stdout.getReader();
    const { value } = await reader.read();
    reader.releaseLock();
    const port = new TextDecoder().decode(value).trim();
    return new Server(child, `http://127.0.0.1:${port}`);
  }

  async used(): Promise<Used> {
    return await (await fetch(`${this.url}/-/used`)).json();
  }

  /** What the server spends while something is done. */
  async while(work: () => Promise<unknown>): Promise<Used> {
    const before = await this.used();
    await work();
    const after = await this.used();
    return {
      cpu: after.cpu - before.cpu,
      requests: after.requests - before.requests,
      sent: after.sent - before.sent,
      most: after.most,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.child.stdin.close();
    await this.child.stdout.cancel();
    await this.child.status;
  }
}

/** One poll, as a command. */
interface Poll {
  argv: string[];
  env: Record<string, string>;
}

const ask = ({ argv, env }: Poll) => output(argv, { env });

/** The average of a poll that finds nothing new. */
async function costOf(server: Server, poll: Poll): Promise<Used> {
  await ask(poll);
  const used = await server.while(async () => {
    for (let i = 0; i < rounds; i++) await ask(poll);
  });
  return {
    cpu: used.cpu / rounds,
    requests: used.requests / rounds,
    sent: used.sent / rounds,
    most: used.most,
  };
}

/** The question of a run with nothing to do, as the program wrote it down. */
function ownPoll(world: World): Poll {
  const text = world.read("/var/lib/gitops-sync/settled.json");
  if (text === null) throw new Error("the run has not settled");
  const { question } = JSON.parse(text);
  return { argv: [question.program, ...question.args], env: question.env };
}

/** All branches and no tags, into a clone that has them already. */
async function fetchingPoll(
  folder: string,
  url: string,
  version: number,
): Promise<Poll> {
  await output(["git", "clone", "--quiet", "--bare", url, folder]);
  const refs = "+refs/heads/*:refs/remotes/origin/*";
  const argv = ["git", "-C", folder, "-c", `protocol.version=${version}`];
  const poll = { argv: [...argv, "fetch", "--quiet", "origin", refs], env: {} };
  await ask(poll);
  return poll;
}

/** Adds 10,000 names to a repository. */
async function addNames(
  repository: Repository,
  nameOf: (i: number) => string,
): Promise<void> {
  const revision = await repository.head();
  const lines = Array.from(
    { length: 10_000 },
    (_, i) => `create refs/${nameOf(i)} ${revision}\n`,
  );
  const git = ["git", "-C", repository.bare];
  await output([...git, "update-ref", "--stdin"], { input: lines.join("") });
  await output([...git, "pack-refs", "--all"]);
}

/** A minute in which all hosts are switched on: each asks after its delay. */
async function allAtOnce(server: Server, poll: Poll) {
  const delays = Array.from(
    { length: hosts },
    () => Math.random() * pause.randomizedDelay * 60_000,
  );
  let unanswered = 0;
  const start = performance.now();
  const used = await server.while(() =>
    inParallel(delays.toSorted((a, b) => a - b), hosts, async (delay) => {
      const rest = delay - (performance.now() - start);
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, rest)));
      await ask(poll).catch(() => unanswered++);
    })
  );
  const seconds = (performance.now() - start) / 1000;
  return { ...used, unanswered, seconds };
}

/** The average of a run that brings a new commit. */
async function newCommit(
  server: Server,
  world: World,
  repository: Repository,
): Promise<Used> {
  const times = 5;
  let all = 0, sent = 0, requests = 0;
  for (let i = 0; i < times; i++) {
    await repository.publish(`Change ${i}`, { knobs: { greeting: `${i}` } });
    const used = await server.while(() => world.output(unboundGitopsSync));
    all += used.cpu;
    sent += used.sent;
    requests += used.requests;
  }
  return {
    cpu: all / times,
    sent: sent / times,
    requests: requests / times,
    most: 0,
  };
}

/** A commit in which each host's file of the branch of `publish` is another. */
async function publishedFiles(
  server: Server,
  world: World,
  repository: Repository,
): Promise<Used> {
  const files = (salt: string) =>
    Object.fromEntries(
      Array.from({ length: hosts }, (_, i) => {
        const hash = Array.from(
          new Uint8Array(20),
          () =>
            "0123456789abcdfghijklmnpqrsvwxyz"[Math.floor(Math.random() * 32)],
        ).join("");
        return [
          `systems/host-${i}`,
          `/nix/store/${hash}${salt}-nixos-system-host-${i}-25.05\n`,
        ];
      }),
    );
  await repository.publish("Systems", { files: files("000000000000") });
  await world.output(unboundGitopsSync);
  await repository.publish("Others", { files: files("111111111111") });
  return await server.while(() => world.output(unboundGitopsSync));
}

const milli = (seconds: number) => `${(seconds * 1000).toFixed(2)} ms`;
const kib = (bytes: number) => `${(bytes / 1024).toFixed(1)} KiB`;

function tell(what: string, { cpu, requests, sent }: Used): void {
  console.log(
    `${what.padEnd(58)} ${milli(cpu).padStart(10)} ${
      requests.toFixed(1).padStart(5)
    } ${kib(sent).padStart(11)}`,
  );
}

const refusal = await World.refusal();
if (refusal) throw new Error(`no benchmarks here: ${refusal}`);
await using world = await World.make();
await using server = await Server.start(world.folder);
const repository = await makeRepository(`${world.folder}/infra`);
await repository.publish("A system");
const url = `${server.url}/infra.git`;
world.configure(repository, {
  repository: url,
  operation: "build",
  "build.isolate": false,
});
for (let i = 0; i < 2; i++) await world.output(unboundGitopsSync);

console.log("the server's processor, requests and bytes of one:");
const own = ownPoll(world);
/** Both kinds of polls, with as many refs as there are now. */
async function both(refs: string): Promise<[ours: Used, theirs: Used]> {
  const ours = await costOf(server, own);
  tell(`poll, ${refs}`, ours);
  const copy = `${world.folder}/${crypto.randomUUID()}.git`;
  const theirs = await costOf(server, await fetchingPoll(copy, url, 0));
  tell(`poll that fetches, protocol 0, ${refs}`, theirs);
  return [ours, theirs];
}
/** The same question with a full name, and Git's way to ask for one ref. */
async function named(refs: string): Promise<void> {
  const argv = own.argv.filter((word) => word !== "--tags")
    .map((word) => word === "main" ? "refs/heads/main" : word);
  tell(`poll, full name, ${refs}`, await costOf(server, { ...own, argv }));
  const copy = `${world.folder}/${crypto.randomUUID()}.git`;
  await output(["git", "init", "--quiet", "--bare", copy]);
  const fetch = ["git", "-C", copy, "fetch", "--quiet", "--no-tags", url];
  const one = { argv: [...fetch, "refs/heads/main"], env: {} };
  tell(`fetch of one ref, protocol 2, ${refs}`, await costOf(server, one));
}
const few = await both("few refs");
await named("few refs");
await addNames(repository, (i) => `pull/${i}/head`);
const others = await both("10,000 changes");
const minute = await allAtOnce(server, own);
console.log(
  `${hosts} hosts that are switched on together: ${minute.requests} requests in ${
    minute.seconds.toFixed(0)
  } s, ${
    minute.cpu.toFixed(1)
  } s of the processor, at most ${minute.most} requests at once, ${minute.unanswered} polls without an answer`,
);
await addNames(repository, (i) => `${i % 2 ? "heads" : "tags"}/name-${i}`);
const many = await both("10,000 branches and tags");
await named("10,000 branches and tags");
tell(
  "run that brings a new commit",
  await newCommit(server, world, repository),
);
tell(
  `the same where the files of ${hosts} hosts are new`,
  await publishedFiles(server, world, repository),
);

const minutes = pause.frequency + pause.randomizedDelay / 2;
console.log("\nthe server's processor for each host and minute:");
const cases = {
  "few refs": few,
  "10,000 changes": others,
  "10,000 branches and tags": many,
};
for (const [what, [ours, theirs]] of Object.entries(cases)) {
  const [a, b] = [ours.cpu / minutes, theirs.cpu / pauseOfComin];
  console.log(
    `  ${what}: ${milli(a)}, and ${milli(b)} for a fetch each minute (${
      (b / a).toFixed(0)
    } times as much; ${
      (theirs.cpu / ours.cpu).toFixed(2)
    } times at the same interval)`,
  );
}

console.log("\nprocessors for polls alone, with 10,000 changes:");
for (const count of [1000, 10_000, 100_000]) {
  const [ours, theirs] = others;
  const [a, b] = [ours.cpu / minutes / 60, theirs.cpu / pauseOfComin / 60];
  console.log(
    `  ${String(count).padStart(6)} hosts: ${(count * a).toFixed(3)}, and ${
      (count * b).toFixed(1)
    } for a fetch each minute`,
  );
}
