/**
 * The benchmarks: `./dev bench [ROUNDS]`. Ratios of whole processes, side by side in one
 * run; medians, because one slow run says nothing.
 *
 * @module
 */
import { join } from "node:path";
import { output } from "../world/program.ts";
import { World } from "../world/world.ts";
import { makeRepository, type Repository } from "../world/repository.ts";

const here = import.meta.dirname!;
const top = join(here, "..", "..");
const rounds = Number(Deno.args[0] ?? 20);

/**
 * As short as that of a unit of systemd: the compiled program looks for each of
 * its programs in every folder, and the PATH of the tests has twenty.
 */
const env = { PATH: `${join(top, "tests", "world", "bin")}:/usr/bin:/bin` };

/** What one run of a command cost; seconds and KiB. */
interface Cost {
  wall: number;
  cpu: number;
  memory: number;
}

const figures = ["wall", "cpu", "memory"] as const;

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? sorted[half]!
    : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** Measures two commands in turn; gives the median of the ratios pair by pair. */
async function compare(
  world: World,
  a: readonly string[],
  b: readonly string[],
): Promise<Record<keyof Cost, number>> {
  const output = await world.output([
    "python3",
    join(here, "measure.py"),
    String(rounds),
    JSON.stringify(a),
    JSON.stringify(b),
  ], { env });
  const costs: [Cost, Cost][] = JSON.parse(output);
  const ratio = (figure: keyof Cost) =>
    median(costs.map(([one, other]) => one[figure] / other[figure]));
  return { wall: ratio("wall"), cpu: ratio("cpu"), memory: ratio("memory") };
}

function tell(
  what: string,
  ratios: Partial<Record<keyof Cost, number>>,
  goals: Partial<Record<keyof Cost, number>>,
): void {
  const cells = figures.flatMap((figure) => {
    const goal = goals[figure];
    const ratio = ratios[figure]?.toFixed(2);
    if (ratio === undefined) return [];
    return [`${figure} ${ratio}${goal ? ` (goal ${goal})` : ""}`];
  });
  console.log(`${what.padEnd(56)} ${cells.join("  ")}`);
}

/** The program as Deno runs it. */
const fromCheckout = [
  Deno.execPath(),
  "run",
  "-A",
  join(top, "gitops_sync.ts"),
];

/** The binary that `./dev compile` makes; none where it can't. */
const compiled = Deno.env.get("GITOPS_SYNC_COMPILED");

/** The Deno of the version that is in the binary. */
const sameDeno = `${Deno.env.get("GITOPS_SYNC_DENORT")}/deno`;

/** The program with a configuration of its own in the world. */
const sync = (config: string, program = fromCheckout) => [
  ...program,
  "sync",
  `--config=${config}`,
];

/** The runtime's start and one question, for the same remote and names. */
const hello = (
  world: World,
  repository: Repository,
  deno = Deno.execPath(),
) => [
  deno,
  "run",
  "-A",
  join(here, "hello.ts"),
  world.urlOf(repository),
  "refs/heads/main",
  "refs/tags/main",
  "refs/tags/main^{}",
];

/** Deploys a repository and gives the path of its configuration. */
async function deployed(
  world: World,
  repository: Repository,
  name: string,
  program = fromCheckout,
): Promise<string> {
  const config = `/etc/gitops-sync/${name}.json`;
  world.write(
    config,
    JSON.stringify({
      repository: world.urlOf(repository),
      host: "demo",
      stateDirectory: `/var/lib/gitops-sync/${name}`,
      // The compiled program may switch only where systemd does it.
      operation: program === fromCheckout ? "switch" : "build",
    }),
  );
  await world.output(sync(config, program), { env });
  // The first run with nothing to do looks at everything.
  await world.output(sync(config, program), { env });
  return config;
}

/** Adds many commits and files below what the repository has. */
async function grow(repository: Repository, world: World): Promise<void> {
  const lines: string[] = [];
  const data = (text: string) => `data ${text.length}\n${text}`;
  for (let i = 1; i <= 10_000; i++) {
    lines.push(
      "commit refs/heads/main",
      `committer Ada <ada@example.org> ${1_700_000_000 + i} +0000`,
      data(`Change ${i}`),
      i === 1 ? "from refs/heads/main^0" : "",
      `M 100644 inline many/${i % 5000}.txt`,
      data(`${i}\n`),
    );
  }
  const stream = lines.filter((line) => line !== "").join("\n") + "\n";
  await world.output(["git", "-C", repository.bare, "fast-import", "--quiet"], {
    input: stream,
  });
}

const refusal = await World.refusal();
if (refusal) throw new Error(`no benchmarks here: ${refusal}`);
await using world = await World.make();

const small = await makeRepository(`${world.folder}/small`);
// The same system in both, so that neither makes the other a drift.
const knobs = { revision: false };
await small.publish("A system", { knobs });
const smallConfig = await deployed(world, small, "small");
tell(
  "nothing to do / runtime's start and one git ls-remote",
  await compare(world, sync(smallConfig), hello(world, small)),
  { wall: 1.15, cpu: 1.15, memory: 1.25 },
);

if (compiled) {
  const program = [compiled];
  const config = await deployed(world, small, "compiled", program);
  tell(
    "the same compiled / that of its version of Deno",
    await compare(world, sync(config, program), hello(world, small, sameDeno)),
    { wall: 1, cpu: 1 },
  );
} else console.log("not measured: the compiled program, which needs denort");

const large = await makeRepository(`${world.folder}/large`);
await large.publish("A system", { knobs });
await grow(large, world);
const largeConfig = await deployed(world, large, "large");
tell(
  "nothing to do, 10,000 commits and 5,000 files / small",
  await compare(world, sync(largeConfig), sync(smallConfig)),
  { wall: 1.05, cpu: 1.05, memory: 1.05 },
);

tell(
  "fetching a new commit of that / the same git fetch alone",
  { wall: await fetchRatio(world, large, largeConfig) },
  { wall: 2 },
);

/** How the fetch stage compares with Git doing the same in a copy. */
async function fetchRatio(
  world: World,
  repository: Repository,
  config: string,
): Promise<number> {
  await repository.git("fetch", "--quiet", "origin", "main");
  await repository.git("reset", "--quiet", "--hard", "FETCH_HEAD");
  const state = "/var/lib/gitops-sync/large";
  const copy = `${world.folder}/copy`;
  await world.output(["cp", "-a", `${state}/repo`, copy]);
  const ratios: number[] = [];
  for (let i = 0; i < 5; i++) {
    await repository.publish(`Change ${i}`, { files: { "a.txt": `${i}` } });
    const start = performance.now();
    await output([
      ...["git", "-C", copy, "fetch", "--quiet", "--no-tags"],
      ...[world.urlOf(repository), "+refs/heads/main:refs/heads/copy"],
    ]);
    const alone = performance.now() - start;
    await world.output(sync(config));
    const last = JSON.parse(
      world.read(`${state}/history.jsonl`)!.trim().split("\n").at(-1)!,
    );
    const stages: { stage: string; ms: number }[] = last.stages;
    ratios.push(stages.find(({ stage }) => stage === "fetch")!.ms / alone);
  }
  return median(ratios);
}
