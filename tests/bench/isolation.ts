/**
 * What it costs to evaluate a revision isolated from the host, beside doing it
 * as root: a part of `./dev bench`. The system is built already, so that all
 * the time is Nix's evaluation and what surrounds it.
 *
 * @module
 */
import { letIsolate } from "../machine/isolation.ts";
import { Machine } from "../machine/machine.ts";
import type { Built } from "../nix/build_each.ts";
import { makeRepository, type Repository } from "../world/repository.ts";

const rounds = 15;

/** The median of the milliseconds of one build. */
async function timeOf(
  machine: Machine,
  repository: Repository,
  revision: string,
  isolate: boolean,
): Promise<number> {
  machine.configure(repository, { "build.isolate": isolate });
  const text = await machine.output([
    ...["deno", "run", "--quiet", "--allow-all"],
    "/opt/gitops-sync/tests/nix/build_each.ts",
    ...Array<string>(rounds + 1).fill(revision),
  ], { timeout: 10 * 60_000 });
  const built: Built[] = text.split("\n").map((line) => JSON.parse(line));
  const failed = built.find(({ system }) => system === undefined);
  if (failed) throw new Error(failed.said);
  // The first one fills caches.
  const times = built.slice(1).map(({ ms }) => ms).toSorted((a, b) => a - b);
  return times[Math.floor(times.length / 2)]!;
}

const refusal = await Machine.refusal();
if (refusal) {
  console.log(`isolated evaluation: not measured: ${refusal}`);
} else {
  await using machine = await Machine.boot();
  await letIsolate(machine);
  const repository = await makeRepository(`${machine.shared}/infra`);
  const revision = await repository.publish("A system");
  await machine.output([
    "sh",
    "-c",
    "umask 077; mkdir -p /var/lib/gitops-sync && git clone -q --no-checkout /srv/infra.git /var/lib/gitops-sync/repo",
  ]);
  const isolated = await timeOf(machine, repository, revision, true);
  const direct = await timeOf(machine, repository, revision, false);
  console.log(
    `isolated evaluation beside one as root: ${
      (isolated / direct).toFixed(2)
    } × (${Math.round(isolated - direct)} ms more, ${
      Math.round(direct)
    } ms as root)`,
  );
}
