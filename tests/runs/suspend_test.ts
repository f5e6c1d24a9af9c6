import { assert, assertEquals } from "@std/assert";
import { deployed, runs, says, standing, syncTo, test } from "./setting.ts";

const file = "/var/lib/gitops-sync/suspended.json";

test("a suspended host stays as it is until it is resumed", async (world) => {
  const { repository } = await deployed(world);
  const before = standing(world);
  const suspended = await syncTo(
    world,
    0,
    "suspend",
    "--reason",
    "a \x1b[31mdisk\nis moved",
  );
  assertEquals(
    suspended.text,
    "Suspended until resume. Run `gitops-sync resume` to end the suspension.\n",
  );
  const revision = await repository.publish("News");
  const sync = await syncTo(world, 0);
  assertEquals(
    sync.text,
    "Suspended until resume (a ?[31mdisk is moved): nothing was done\n",
  );
  await syncTo(world, 0, "sync", "--now");
  await syncTo(world, 0, "retry");
  assertEquals(standing(world), before);
  says(
    (await syncTo(world, 0, "status")).stdout,
    "is not deployed yet",
    "next     Suspended by root since ",
    ") (a ?[31mdisk is moved). Run `gitops-sync resume`",
  );
  assertEquals(
    (await syncTo(world, 0, "resume")).stdout,
    "Resumed: the next run deploys again\n",
  );
  assertEquals(
    (await syncTo(world, 0, "resume")).stdout,
    "This host was not suspended\n",
  );
  await syncTo(world, 0);
  runs(world, revision);
});

test("a suspension ends by itself when its time is over", async (world) => {
  const { repository } = await deployed(world);
  const suspended = await syncTo(world, 0, "suspend", "--for", "2h");
  says(suspended.stdout, "Suspended until 20");
  const revision = await repository.publish("News");
  says((await syncTo(world, 0)).stdout, "Suspended until 20");
  const { since, until } = JSON.parse(world.read(file)!);
  assertEquals(Date.parse(until) - Date.parse(since), 7_200_000);
  const past = new Date(Date.now() - 1000).toISOString();
  world.write(file, JSON.stringify({ since, until: past, reason: null }));
  await syncTo(world, 0);
  runs(world, revision);
});

test("a suspension during a build keeps the host from being switched", async (world) => {
  const { repository } = await deployed(world);
  const before = standing(world);
  const { folder } = world;
  const revision = await repository.publish("A slow build", {
    knobs: { build: `while ! test -e ${folder}/go; do sleep 0.05; done` },
  });
  const run = world.startSync([]);
  while (world.state()?.attempt?.stage !== "build") await pause();
  await syncTo(world, 0, "suspend");
  Deno.writeTextFileSync(`${folder}/go`, "");
  const ended = await run.ended;
  assertEquals(ended.code, 0, ended.stderr);
  says(ended.stderr, "\nDeployments were suspended during the build");
  const { last, backoff } = world.state()!;
  assertEquals([last?.result, last?.exit], ["interrupted", 0]);
  assertEquals(world.history().at(-1)?.result, "interrupted");
  assertEquals(backoff, undefined, "it is no failure that a pause is for");
  assertEquals(standing(world), before);
  await syncTo(world, 0);
  await syncTo(world, 0, "resume");
  await syncTo(world, 0);
  runs(world, revision);
});

test("a person may roll a suspended host back", async (world) => {
  const { repository, revision } = await deployed(world);
  await repository.publish("News");
  await syncTo(world, 0);
  await syncTo(world, 0, "suspend");
  await syncTo(world, 0, "rollback");
  runs(world, revision);
});

test("a suspension that can't be read stops the host", async (world) => {
  const { repository, revision } = await deployed(world);
  await repository.publish("News");
  for (const text of ["", "{", "{}", '{"since":"2026-01-01","until":"soon"}']) {
    world.write(file, text);
    says(
      (await syncTo(world, 2)).stderr,
      `Cannot read ${file}`,
      "hint: run gitops-sync resume",
    );
  }
  runs(world, revision);
  await syncTo(world, 0, "resume");
  await syncTo(world, 0);
});

test("a time or reason that is none is refused", async (world) => {
  await deployed(world);
  for (const span of ["soon", "-1h", "0s", "12", ""]) {
    const refused = await syncTo(world, 2, "suspend", `--for=${span}`);
    says(
      refused.stderr,
      span === "" ? "Cannot use --for alone" : `Cannot use "${span}" for --for`,
    );
  }
  assert(world.read(file) === null, "nothing was suspended");
});

const pause = () => new Promise((resolve) => setTimeout(resolve, 10));
