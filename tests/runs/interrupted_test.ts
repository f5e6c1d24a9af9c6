import { assert, assertEquals } from "@std/assert";
import { deployed, runs, says, standing, syncTo, test } from "./setting.ts";
import { matters, Shims } from "./shims.ts";

const signals = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

test("a run that is told to end does so, or ends what it has begun", async (world) => {
  const { repository } = await deployed(world);
  const shims = new Shims(world);
  const stages = new Set<string>();
  await repository.publish("Undisturbed");
  await shims.start().ended;
  const calls = [...shims.calls().entries()]
    .filter(([_, line]) => matters(line)).map(([i]) => i + 1);
  for (const call of calls) {
    const before = standing(world);
    const revision = await repository.publish(`Interrupted at ${call}`);
    const run = shims.start([], { call, when: "before" });
    const stopped = await shims.stopped(run);
    assert(stopped, `no call ${call}`);
    const stage = world.state()?.attempt?.stage ?? "decide";
    stages.add(stage);
    run.signal(signals[call % signals.length]!);
    // What changes the host is not cut off.
    if (shims.calls().at(-1)!.startsWith("nix-")) stopped.letGo();
    if (stage === "confirm") {
      // What is proven is finished.
      stopped.letGo();
      assertEquals((await run.ended).code, 0, `at call ${call}`);
      runs(world, revision);
      continue;
    }
    const { code, stderr } = await run.ended;
    says(stderr, "error: Interrupted by a person or by systemd");
    assertEquals(code, 130, stderr);
    // It says nothing of the repository.
    assert(!stderr.includes("Cannot reach"), stderr);
    assertEquals(standing(world), before);
    const { last, holds, attempt } = world.state()!;
    const expected = stage === "decide"
      ? [undefined, undefined]
      : [stage, "interrupted"];
    assertEquals([last?.stage, last?.reason], expected);
    assertEquals([holds, attempt], [[], undefined]);
    await syncTo(world, 0);
    runs(world, revision);
  }
  assertEquals([...stages], [
    "decide",
    "fetch",
    "verify",
    "secrets",
    "build",
    "activate",
    "health",
    "confirm",
  ]);
});

test("an activation that has begun is not left half done", async (world) => {
  const { repository, revision, system } = await deployed(world);
  const { folder } = world;
  await repository.publish("A slow activation", {
    knobs: {
      activation: `touch ${folder}/begun; sleep 1; touch ${folder}/over`,
    },
  });
  const run = world.startSync([]);
  while (world.read("begun") === null) await pause();
  run.signal("SIGTERM");
  const { code, stderr } = await run.ended;
  assert(world.read("over") !== null, "it came to its end");
  assertEquals(code, 130, stderr);
  says(stderr, "by systemd; the previous system runs again");
  assertEquals(runs(world, revision), system);
  assertEquals(world.state()?.last?.stage, "health");
  await syncTo(world, 0);
});

const pause = () => new Promise((resolve) => setTimeout(resolve, 10));

test("a run that is told to end while it collects garbage has deployed", async (world) => {
  const { repository } = await deployed(world);
  world.configure(repository, { garbageCollect: true });
  const shims = new Shims(world);
  await repository.publish("Undisturbed");
  await shims.start().ended;
  const call = shims.calls().findIndex((line) => line === "nix-store --gc") + 1;
  assert(call > 0, shims.calls().join("\n"));
  const revision = await repository.publish("Interrupted");
  const run = shims.start([], { call, when: "before" });
  assert(await shims.stopped(run), "it collects garbage");
  run.signal("SIGTERM");
  const { code, stdout, stderr } = await run.ended;
  assertEquals(code, 0, stderr);
  says(stdout, "Deployed ");
  says(stderr, "warning: Interrupted by a person or by systemd");
  const { lastGood, last, attempt } = world.state()!;
  assertEquals(lastGood?.revision, revision);
  assertEquals([last?.result, attempt], ["deployed", undefined]);
  runs(world, revision);
  says((await syncTo(world, 0)).stdout, "In sync");
});
