import { assertEquals } from "@std/assert";
import type { Settings } from "../world/host.ts";
import type { World } from "../world/world.ts";
import { deployed, prepared, syncTo, test } from "./setting.ts";

const note = "/var/lib/gitops-sync/told";

/** Notes each call of the two hooks, with the reason. */
const noting: Settings = Object.fromEntries(
  ["onFailure", "onRecovered"].map((hook) => [
    `hooks.${hook}`,
    [["sh", "-c", `echo ${hook} $GITOPS_SYNC_REASON >>${note}`]],
  ]),
);

const told = (world: World) =>
  (world.read(note) ?? "").split("\n").filter((line) => line !== "");

test("a fault is told once, and once when it is over", async (world) => {
  const { repository } = await deployed(world, noting);
  await repository.publish("Bad", { knobs: { build: "exit 1" } });
  await syncTo(world, 6);
  for (const _ of [1, 2, 3]) await syncTo(world, 9);
  assertEquals(told(world), ["onFailure builder-failed"]);
  // The same revision fails again for the same reason.
  await syncTo(world, 6, "retry");
  assertEquals(told(world).length, 1);
  // Another one is another fault.
  await repository.publish("Worse", { knobs: { build: "exit 2" } });
  await syncTo(world, 6);
  await syncTo(world, 9);
  assertEquals(told(world).length, 2);
  await repository.publish("Good", { knobs: { build: "" } });
  await syncTo(world, 0);
  await syncTo(world, 0);
  assertEquals(told(world), [
    "onFailure builder-failed",
    "onFailure builder-failed",
    "onRecovered",
  ]);
});

test("what a person left is no fault", async (world) => {
  const { repository } = await deployed(world, noting);
  await repository.publish("Second", { knobs: { greeting: "two" } });
  await syncTo(world, 0);
  await syncTo(world, 0, "rollback", "--until-next-commit");
  await syncTo(world, 9);
  assertEquals(told(world), []);
});

test("a silent remote is told once it was silent for long", async (world) => {
  const settings = { ...noting, retries: 0 };
  const { repository } = await deployed(world, settings);
  const away = `${repository.bare}.away`;
  await Deno.rename(repository.bare, away);
  for (const _ of [1, 2]) await syncTo(world, 3);
  assertEquals(told(world), []);
  // An hour later.
  const file = "/var/lib/gitops-sync/alerts.json";
  const { silence } = JSON.parse(world.read(file)!);
  const since = new Date(Date.parse(silence.since) - 3_600_001).toISOString();
  world.write(file, JSON.stringify({ silence: { since } }));
  for (const _ of [1, 2]) await syncTo(world, 3);
  assertEquals(told(world).map((line) => line.split(" ")[0]), ["onFailure"]);
  await Deno.rename(away, repository.bare);
  for (const _ of [1, 2]) await syncTo(world, 0);
  assertEquals(told(world).at(-1), "onRecovered");
  assertEquals(told(world).length, 2);
});

test("a ref that is gone is told, and a short silence is not", async (world) => {
  const settings = {
    ...noting,
    retries: 0,
    "alerts.unreachableAfter": "1ms",
  };
  const { repository } = await prepared(world, settings);
  world.configure(repository, { ...settings, ref: "gone" });
  for (const _ of [1, 2, 3]) await syncTo(world, 3);
  assertEquals(told(world), ["onFailure ref-missing"]);
});

test("what was told is told again where nobody can read it", async (world) => {
  const { repository } = await deployed(world, noting);
  await repository.publish("Bad", { knobs: { build: "exit 1" } });
  await syncTo(world, 6);
  world.write("/var/lib/gitops-sync/alerts.json", '{"fault": 1');
  for (const _ of [1, 2]) await syncTo(world, 9);
  assertEquals(told(world).length, 2);
});
