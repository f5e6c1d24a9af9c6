import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { has, Server } from "../notify/programs.ts";
import { output } from "../world/program.ts";
import type { World } from "../world/world.ts";
import { deployed, runs, says, syncTo, test } from "./setting.ts";

const hasPrometheus = await has("prometheus") &&
  await has("prometheus-node-exporter");

// Of the machine, and so the same from inside and from outside.
const folderOf = ({ folder }: World) => `${folder}/textfile`;
const fileOf = (world: World) => `${folderOf(world)}/gitops-sync.prom`;

const metrics = (world: World) => Deno.readTextFileSync(fileOf(world));
const check = (world: World) =>
  Number(
    /^gitops_sync_last_check_timestamp_seconds (\S+)$/m
      .exec(Deno.readTextFileSync(`${folderOf(world)}/gitops-sync-check.prom`))
      ?.[1],
  );

test("metrics follow what runs do, and each check counts", async (world) => {
  const settings = { "metrics.textfile": fileOf(world) };
  await Deno.mkdir(folderOf(world));
  const { repository, revision } = await deployed(world, settings);
  says(
    metrics(world),
    `gitops_sync_revision_info{revision="${revision}",ref="main"} 1\n`,
    'gitops_sync_attempts_total{result="deployed"} 1\n',
    "gitops_sync_behind_seconds 0\n",
    "gitops_sync_held 0\n",
  );
  const { mode } = await Deno.stat(fileOf(world));
  assertEquals(mode! & 0o777, 0o644, "node_exporter is not root");
  // The first of these is done in full, the last is not.
  await syncTo(world, 0);
  await syncTo(world, 0);
  const before = check(world);
  const whole = metrics(world);
  await Deno.writeTextFile(fileOf(world), "mark");
  await syncTo(world, 0);
  assertEquals(metrics(world), "mark", "a run with nothing to do");
  assert(check(world) > before, "the time of the check moved on");
  await Deno.writeTextFile(fileOf(world), whole);

  await repository.publish("Bad", { knobs: { build: "exit 1" } });
  await syncTo(world, 6);
  await syncTo(world, 9);
  says(
    metrics(world),
    'gitops_sync_attempts_total{result="failed"} 1\n',
    'gitops_sync_failures_total{stage="build"} 1\n',
    "gitops_sync_held 1\n",
    'gitops_sync_fault_info{stage="build",reason="builder-failed"} 1\n',
    "gitops_sync_last_attempt_exit_code 6\n",
  );
  const behind = /^gitops_sync_behind_seconds (\S+)$/m.exec(metrics(world))
    ?.[1];
  assert(Number(behind) > 0, behind);
  // Nobody answers: the time stays.
  const asked = check(world);
  await Deno.rename(repository.bare, `${repository.bare}.away`);
  await syncTo(world, 3, "--retries", "0");
  assertEquals(check(world), asked);

  // What is no attempt takes the place of none.
  await Deno.rename(`${repository.bare}.away`, repository.bare);
  await syncTo(world, 9);
  assertEquals(world.history().at(-1)!.result, "unreached");
  says(
    metrics(world),
    "gitops_sync_last_attempt_exit_code 6\n",
    'gitops_sync_last_attempt_stage_duration_seconds{stage="build"}',
  );
  world.configure(repository, { ...settings, approval: "manual" });
  const good = await repository.publish("Good", { knobs: { build: "" } });
  await syncTo(world, 0);
  says(
    metrics(world),
    "gitops_sync_approval_wanted 1\n",
    'gitops_sync_attempts_total{result="waiting"} 1\n',
    "gitops_sync_last_attempt_exit_code 0\n",
  );
  await syncTo(world, 0, "approve", good);
  says(metrics(world), "gitops_sync_approval_wanted 0\n");
  await syncTo(world, 0);
  says(metrics(world), "gitops_sync_approval_wanted 0\n");
});

test("metrics follow a person's word at once", async (world) => {
  const settings = { "metrics.textfile": fileOf(world) };
  await Deno.mkdir(folderOf(world));
  const { repository } = await deployed(world, settings);
  const asked = check(world);
  await syncTo(world, 0, "suspend");
  says(metrics(world), "gitops_sync_suspended 1\n");
  await syncTo(world, 0, "resume");
  says(metrics(world), "gitops_sync_suspended 0\n");
  world.configure(repository, { ...settings, approval: "manual" });
  const revision = await repository.publish("Waits");
  await syncTo(world, 0);
  const { held, wanted } = {
    held: "gitops_sync_held",
    wanted: "gitops_sync_approval_wanted",
  };
  says(metrics(world), `${held} 0\n`, `${wanted} 1\n`);
  await syncTo(world, 0, "reject", revision);
  says(metrics(world), `${held} 1\n`, `${wanted} 0\n`);
  assert(check(world) >= asked);
  const names = [...Deno.readDirSync(folderOf(world))].map(({ name }) => name);
  assertEquals(names.sort(), ["gitops-sync-check.prom", "gitops-sync.prom"]);
});

test("a folder that is missing costs metrics and no deployment", async (world) => {
  await deployed(world, { "metrics.textfile": fileOf(world) });
  const { text } = await syncTo(world, 0, "--verbose");
  assertStringIncludes(text, "Cannot write metrics");
});

test("a full or read-only folder costs metrics and no deployment", async (world) => {
  const folder = folderOf(world), file = fileOf(world);
  await Deno.mkdir(folder);
  // Mounted outside: each program of a world sees what was there before it.
  const mount = (...args: string[]) => output([...args, folder]);
  await mount("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs");
  try {
    const { repository } = await deployed(world, { "metrics.textfile": file });
    const names = () => [...Deno.readDirSync(folder)].map(({ name }) => name);
    const total = () =>
      Number(/result="deployed"\} (\d+)/.exec(metrics(world))?.[1]);
    const told = (text: string) =>
      text.match(/^warning: Cannot write metrics to .*$/gm) ?? [];
    const whole = names().sort();
    const hurdles = [
      {
        breaks: () => fill(`${folder}/fill`),
        mends: () => Deno.remove(`${folder}/fill`),
        says: /no space left/i,
      },
      {
        breaks: () => mount("mount", "-o", "remount,ro"),
        mends: () => mount("mount", "-o", "remount,rw"),
        says: /read-only file system/i,
      },
    ];
    for (const { breaks, mends, says } of hurdles) {
      const before = total();
      await breaks();
      const revision = await repository.publish(`Before ${says}`);
      const hurt = await syncTo(world, 0);
      runs(world, revision);
      assertEquals(told(hurt.text).length, 1, hurt.text);
      assertMatch(hurt.text, says);
      // What node_exporter reads is whole, and of the run before.
      assertEquals(total(), before);
      await mends();
      assertEquals(names().sort(), whole);
      await repository.publish(`After ${says}`);
      assertEquals(told((await syncTo(world, 0)).text), []);
      // Both are counted, also the one that could not be written.
      assertEquals(total(), before + 2);
    }
  } finally {
    await mount("umount");
  }
});

/** Leaves no byte of the disk that a file is on. */
function fill(file: string): Promise<void> {
  const rest = new Uint8Array(64 * 1024);
  try {
    Deno.writeFileSync(file, rest);
  } catch {
    // It is full.
  }
  return Promise.resolve();
}

if (hasPrometheus) {
  test("node_exporter and Prometheus read the metrics", async (world) => {
    const settings = { "metrics.textfile": fileOf(world) };
    await Deno.mkdir(folderOf(world));
    const { revision } = await deployed(world, settings);
    await using exporter = await Server.start((port) => [
      "prometheus-node-exporter",
      "--collector.disable-defaults",
      "--collector.textfile",
      `--collector.textfile.directory=${folderOf(world)}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ], "/metrics");
    const target = exporter.url.slice("http://".length);
    const config = `${world.folder}/prometheus.yml`;
    await Deno.writeTextFile(
      config,
      `scrape_configs: [{job_name: node, scrape_interval: 1s, static_configs: [{targets: ["${target}"]}]}]\n`,
    );
    await using prometheus = await Server.start((port) => [
      "prometheus",
      `--config.file=${config}`,
      `--storage.tsdb.path=${world.folder}/tsdb`,
      `--web.listen-address=127.0.0.1:${port}`,
    ], "/-/ready");
    const query = async (text: string) => {
      const path = `/api/v1/query?query=${encodeURIComponent(text)}`;
      return (await prometheus.json(path)).data.result;
    };
    let found = [];
    const end = Date.now() + 5 * 60_000;
    while (found.length === 0) {
      assert(Date.now() < end, "Prometheus reads nothing");
      found = await query("gitops_sync_revision_info");
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    assertEquals(found[0].metric.revision, revision);
    assertEquals(await query("node_textfile_scrape_error == 1"), []);
    const [last] = await query("gitops_sync_last_check_timestamp_seconds");
    assertEquals(Number(last.value[1]), check(world));
  });
}
