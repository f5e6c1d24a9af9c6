import { assertEquals } from "@std/assert";
import { deployed, says, standing, syncTo, test } from "./setting.ts";

/** Long enough for a look and one more. */
const quick = { "timeouts.health": "2s" };

test("what is wrong with the previous system too holds no revision", async (world) => {
  const { repository } = await deployed(world);
  const before = standing(world);
  // A server elsewhere that the host needs, and that is down now.
  world.configure(repository, { ...quick, "health.tcp": ["127.0.0.1:1"] });
  await repository.publish("News");
  const { stderr } = await syncTo(world, 7);
  says(
    stderr,
    "127.0.0.1:1 does not accept connections",
    "the previous system has the same problem, so a later run tries again",
  );
  assertEquals(standing(world), before);
  assertEquals(world.state()?.holds, []);
  assertEquals(world.state()?.backoff?.failures, 1);
});

test("what is wrong with the candidate alone holds it", async (world) => {
  const { repository, system } = await deployed(world);
  const isFirst = `test "$(readlink -f /run/current-system)" = ${system}`;
  world.configure(repository, {
    ...quick,
    "health.commands": [["sh", "-c", isFirst]],
  });
  const revision = await repository.publish("News");
  await syncTo(world, 7);
  assertEquals(
    world.state()?.holds.map((hold) => hold.revision),
    [revision],
  );
});

test("one thing that is the candidate's fault is enough to hold it", async (world) => {
  const { repository, system } = await deployed(world);
  const isFirst = `test "$(readlink -f /run/current-system)" = ${system}`;
  world.configure(repository, {
    ...quick,
    "health.commands": [["sh", "-c", isFirst], ["false"]],
  });
  const revision = await repository.publish("News");
  await syncTo(world, 7);
  assertEquals(
    world.state()?.holds.map((hold) => hold.revision),
    [revision],
  );
});

test("a /boot that nobody can write to holds no revision", async (world) => {
  const { repository } = await deployed(world);
  const before = standing(world);
  const readOnly = "mount --bind /boot /boot && mount -o remount,ro,bind /boot";
  await repository.publish("News", {
    knobs: { greeting: "news", activation: readOnly },
  });
  const { stderr } = await syncTo(world, 7);
  says(stderr, "the boot default", "the previous system has the same problem");
  assertEquals(standing(world), before);
  assertEquals(world.state()?.holds, []);
});

test("a bootloader that fails with the candidate alone holds it", async (world) => {
  const { repository } = await deployed(world);
  const revision = await repository.publish("News", {
    knobs: { greeting: "news", exit: { boot: 1 } },
  });
  await syncTo(world, 7);
  assertEquals(world.state()?.holds.map((hold) => hold.revision), [revision]);
});
