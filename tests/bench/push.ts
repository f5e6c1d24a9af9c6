/**
 * How soon a push is active on a host that hears of it, beside one that asks
 * again and again: a part of `./dev bench`. Both are the same machine with the
 * units of the module.
 *
 * @module
 */
import { Machine } from "../machine/machine.ts";
import { bootUnitHost } from "../nix/unit_host.ts";
import { hmac, pushes } from "../serve/hook.ts";
import { makeRepository, type Repository } from "../world/repository.ts";
import { LogReader } from "../../lib/state/log_reader.ts";

const rounds = Number(Deno.args[0] ?? 5);
const secret = "5f2c1d0e9b8a7f6e5d4c3b2a19080706";
const state = "/var/lib/gitops-sync";

/** The stages whose time a push can't do without. */
const work = ["fetch", "build", "activate"];

/** How long a revision took, in milliseconds. */
interface Took {
  /** From the push until systemd started the run. */
  begun: number;
  /** From the push until the system was active. */
  active: number;
  /** What of that Git, Nix and the switch took. */
  work: number;
}

/** Delivers a webhook from within the machine; gives when it was sent. */
async function push(machine: Machine, url: string, of: string) {
  const { headers, body } = pushes.github!("refs/heads/main");
  const repository = { clone_url: url };
  const text = JSON.stringify({ ...body as object, repository, after: of });
  const signature = await hmac(secret, new TextEncoder().encode(text));
  const all = { ...headers, "x-hub-signature-256": `sha256=${signature}` };
  const code = `
    const at = Date.now();
    const answer = await fetch("http://127.0.0.1:9480/webhook", { method: "POST",
      body: ${JSON.stringify(text)}, headers: ${JSON.stringify(all)} });
    await answer.body?.cancel();
    if (answer.status !== 202) throw new Error(String(answer.status));
    console.log(at);`;
  return Number(await machine.output(["deno", "eval", code]));
}

/** Waits until a revision is deployed and its run is over. */
async function tookSince(machine: Machine, at: number, revision: string) {
  const entryOf = () =>
    machine.history().find((one) => one.revision === revision);
  const isBusy = async () =>
    await machine.output([
      ...["systemctl", "show", "gitops-sync.service"],
      ...["--property=ActiveState", "--value"],
    ]) !== "inactive";
  while (!entryOf() || await isBusy()) {
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const entry = entryOf()!;
  const stages = entry.stages as { stage: string; ms: number }[];
  using log = new LogReader(machine.path(state), entry.id as string);
  const lines = [...log.read()].flat();
  const done = lines.find((one) =>
    one.kind === "done" && one.stage === "activate"
  );
  if (!done) throw new Error(`${revision} is not active: ${entry.message}`);
  return {
    begun: await begunAt(machine) - at,
    active: done.at - at,
    work: stages.filter(({ stage }) => work.includes(stage))
      .reduce((sum, { ms }) => sum + ms, 0),
  };
}

/** When systemd started the last run, in milliseconds since 1970. */
async function begunAt(machine: Machine): Promise<number> {
  const text = await machine.output([
    ...["systemctl", "show", "gitops-sync.service", "--timestamp=us+utc"],
    ...["--property=ExecMainStartTimestamp", "--value"],
  ]);
  const [, day, time] = text.split(" ");
  return Date.parse(`${day}T${time}Z`);
}

async function measure(
  repository: Repository,
  start: (revision: string) => Promise<Took>,
): Promise<Took> {
  const all: Took[] = [];
  for (let i = 0; i < rounds; i++) {
    all.push(await start(await repository.publish(`Change ${i}`)));
  }
  const sorted = all.toSorted((a, b) => a.active - b.active);
  return sorted[Math.floor(sorted.length / 2)]!;
}

function tell(how: string, { active, work, begun }: Took): void {
  console.log(
    `${how.padEnd(24)} active after ${seconds(active)} s: ${
      seconds(begun)
    } s until the run begins, ${seconds(work)} s fetch, build and switch, ${
      seconds(active - begun - work)
    } s the rest`,
  );
}

const seconds = (ms: number) => (ms / 1000).toFixed(2);

async function compare(frequency: string): Promise<void> {
  await using units = await bootUnitHost();
  const { machine } = units;
  const repository = await makeRepository(`${machine.shared}/infra`);
  const url = machine.urlOf(repository);
  machine.write("/etc/webhook-secret", `${secret}\n`);
  await units.install(`services.gitops = {
    enable = true;
    repository = "${url}";
    host = "demo";
    health.steady = "1s";
    frequency = "${frequency}";
    randomizedDelay = "0";
    serve.enable = true;
    serve.webhookSecretFile = "/etc/webhook-secret";
  };`);
  const serve = "gitops-sync-serve.service";
  await machine.output(["systemctl", "start", "gitops-sync-push.path", serve]);
  await repository.publish("The first");
  await machine.output(["systemctl", "start", "gitops-sync.service"]);
  const pushed = await measure(
    repository,
    async (revision) =>
      tookSince(machine, await push(machine, url, revision), revision),
  );
  await machine.output(["systemctl", "stop", "gitops-sync-push.path", serve]);
  const byHand = await measure(repository, async (revision) => {
    const at = Date.now();
    await machine.output(["systemctl", "start", "gitops-sync.service"]);
    return await tookSince(machine, at, revision);
  });
  await machine.output(["systemctl", "start", "gitops-sync.timer"]);
  const polled = await measure(
    repository,
    (revision) => tookSince(machine, Date.now(), revision),
  );
  tell("by a push", pushed);
  tell("by hand", byHand);
  tell(`by polling each ${frequency}`, polled);
  console.log(
    `a push over fetch, build and switch: ${
      seconds(pushed.active - pushed.work)
    } s (goal 1.00)`,
  );
}

const refusal = await Machine.refusal();
if (refusal) console.log(`push to active: not measured: ${refusal}`);
else await compare("20s");
