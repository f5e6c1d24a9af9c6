/**
 * The check of many secrets beside sops itself, with as many processes at once:
 * `deno run -A tests/bench/secrets.ts [FILES]`. Ratios; medians of a few rounds.
 *
 * @module
 */
import type { Config } from "../../lib/config/schema.ts";
import { Run } from "../../lib/run/run.ts";
import { checkSecrets, inParallel } from "../../lib/secrets/check.ts";
import { run } from "../../lib/process/run_command.ts";
import { effects, must } from "../secrets/keys.ts";
import { makeRepository } from "../world/repository.ts";
import type { Verified } from "../../lib/run/stages.ts";

const files = Number(Deno.args[0] ?? 500);
const rounds = 3;
const folder = await Deno.makeTempDir({ prefix: "gitops-sync-bench-" });

try {
  await measure();
} finally {
  await Deno.remove(folder, { recursive: true });
}

async function measure() {
  const key = `${folder}/age.key`;
  await must("age-keygen", ["-o", key]);
  const recipient = new TextDecoder().decode(
    await must("age-keygen", ["-y", key]),
  ).trim();
  const repository = await makeRepository(`${folder}/infra`);
  const paths = Array.from({ length: files }, (_, i) => `s/${i}.yaml`);
  const contents = await inParallel(
    paths,
    (path, i) => encrypt(recipient, path, i),
  );
  await repository.publish("Secrets", {
    files: Object.fromEntries(paths.map((path, i) => [path, contents[i]!])),
  });
  const revision = await repository.head();
  const verified = { mirror: repository.bare, commit: { revision } };
  const check = async (state: string) => {
    await Deno.mkdir(`${folder}/${state}`, { recursive: true });
    const config = {
      "secrets.check": true,
      "secrets.ignore": [],
      "secrets.identities": [key],
      "timeouts.secrets": 600_000,
      "limits.secrets": 2 ** 28,
      stateDirectory: `${folder}/${state}`,
    } as unknown as Config;
    const run = new Run(effects, config, {
      version: 1,
      earlier: [],
      holds: [],
    });
    const { opened } = await checkSecrets(run, verified as unknown as Verified);
    if (opened !== files) throw new Error(`only ${opened} were opened`);
  };
  const first: number[] = [], again: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const alone = await seconds(() => sopsAlone(key));
    first.push(await seconds(() => check(`state-${round}`)) / alone);
    again.push(await seconds(() => check(`state-${round}`)) / alone);
  }
  const of = `${files} files, beside sops alone`;
  console.log(`first check of ${of}: ${median(first)} (goal 1.2)`);
  console.log(`check of the same ${of}: ${median(again)}`);
}

/** A file as they are: some values, a list, a comment. */
function encrypt(recipient: string, path: string, i: number) {
  const text =
    `# host ${i}\npassword: word-${i}\nkeys:\n  - a\n  - b\nn: ${i}\n`;
  return must(
    "sops",
    ["encrypt", "--age", recipient, "--filename-override", path, "/dev/stdin"],
    new TextEncoder().encode(text),
  );
}

/** What a shell would do: sops for each file, one for each processor. */
async function sopsAlone(key: string) {
  const finished = await run({
    program: "xargs",
    args: [
      "-P",
      String(navigator.hardwareConcurrency),
      "-n",
      "1",
      "sh",
      "-c",
      'exec sops decrypt "$0" >/dev/null',
    ],
    input: new TextEncoder().encode(
      Array.from({ length: files }, (_, i) => `${folder}/infra/s/${i}.yaml\n`)
        .join(""),
    ),
    env: { SOPS_AGE_KEY_FILE: key, SOPS_DISABLE_VERSION_CHECK: "1" },
    timeout: 600_000,
  });
  if (finished.code !== 0) throw new Error(finished.stderr);
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

function median(ratios: readonly number[]): string {
  return ratios.toSorted((a, b) => a - b)[Math.floor(ratios.length / 2)]!
    .toFixed(2);
}
