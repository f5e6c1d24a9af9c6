/** What plan, status, doctor and metrics tell of a host that a person steers. */
import { assert, assertEquals } from "@std/assert";
import { short } from "../../lib/base/text.ts";
import type { World } from "../world/world.ts";
import { deployed, says, syncTo, test } from "./setting.ts";

async function plan(world: World, ...args: string[]) {
  const { stdout } = await syncTo(world, 0, "plan", "--json", ...args);
  return JSON.parse(stdout);
}

async function stops(world: World, ...args: string[]): Promise<string[]> {
  const { stops } = await plan(world, ...args);
  return stops.map(({ what }: { what: string }) => what);
}

/** A check of doctor by its name. */
async function check(world: World, name: string) {
  const { stdout } = await world.sync("doctor", "--json");
  return JSON.parse(stdout).checks
    .find((one: { name: string }) => one.name === name);
}

const metricsOf = (world: World) => `${world.folder}/gitops-sync.prom`;

/** A metric as the last run left it. */
function metric(world: World, name: string): string {
  const line = Deno.readTextFileSync(metricsOf(world)).split("\n")
    .find((one) => one.startsWith(`gitops_sync_${name} `));
  return line?.split(" ")[1] ?? "missing";
}

test("a rollback that lasts stops a plan, and doctor and metrics tell it", async (world) => {
  const settings = { "metrics.textfile": metricsOf(world) };
  const { repository } = await deployed(world, settings);
  await repository.publish("Bad");
  await syncTo(world, 0);
  assertEquals(metric(world, "rolled_back"), "0");
  await syncTo(world, 0, "rollback", "--reason", "slow");
  await repository.publish("Third");
  assertEquals(await stops(world, "--no-build"), ["rolled-back"]);
  says(
    (await syncTo(world, 0, "plan", "--no-build")).stdout,
    "later it would deploy",
    "root rolled this host back on ",
    "(slow)",
    "gitops-sync resume",
  );
  const { state, text, hints } = await check(world, "state");
  assertEquals(state, "warning");
  says(`${text} ${hints}`, "rolled this host back", "gitops-sync resume");
  assertEquals(metric(world, "rolled_back"), "1");
});

test("an approval stops a plan until it is given, and again after it", async (world) => {
  const { repository } = await deployed(world);
  const second = await repository.publish("Second");
  world.configure(repository, {
    approval: "manual",
    "metrics.textfile": metricsOf(world),
  });
  assertEquals(await stops(world), ["unapproved"]);
  await syncTo(world, 0);
  assertEquals(await stops(world, "--no-build"), ["unapproved"]);
  says(
    (await syncTo(world, 0, "plan", "--no-build")).stdout,
    `gitops-sync approve ${short(second)}`,
  );
  says((await check(world, "state")).text, "waits for approval");
  assertEquals(metric(world, "approval_wanted"), "1");
  // Nothing comes of it without a person.
  const waits = await syncTo(world, 13, "status", "--wait=20m", "--exit-code");
  says(waits.stdout, "waits for approval");
  await syncTo(world, 0, "approve", second);
  assertEquals(await stops(world, "--no-build"), []);

  // What a newer commit has left behind waits for nobody any more.
  const third = await repository.publish("Third", {
    knobs: { build: "exit 1" },
  });
  await syncTo(world, 6);
  assertEquals(metric(world, "approval_wanted"), "0");
  const late = await syncTo(world, 2, "approve", second);
  says(late.stderr, "it does not wait for approval on this host");
  says((await syncTo(world, 9, "status", "--exit-code")).stdout, short(third));
});

test("another machine than that of machineId stops a plan, and doctor", async (world) => {
  const { repository } = await deployed(world);
  await repository.publish("Second");
  world.configure(repository, { machineId: "0123456789abcdef".repeat(2) });
  assertEquals(await stops(world, "--no-build"), ["other-machine"]);
  says(
    (await syncTo(world, 0, "plan", "--no-build")).stdout,
    "later it would deploy",
  );
  for (const args of [[], ["--wait=20m"]]) {
    const { code, stdout } = await world.sync("status", ...args);
    assertEquals(code, args.length === 0 ? 0 : 12);
    says(stdout, "but machineId is");
    assert(!stdout.includes("The next run deploys it"), stdout);
  }
  const { state, text } = await check(world, "machine");
  assertEquals(state, "problem");
  says(text, "but machineId is");
});

test("a plan is about the testing branch where a run would try it", async (world) => {
  const on = { "testing.enable": true };
  const { repository, revision: main } = await deployed(world, on);
  const idea = await repository.commit("An idea", {
    knobs: { greeting: "new" },
  });
  await repository.push("testing/demo", { force: true });
  const planned = await plan(world);
  assertEquals([planned.would, planned.revision, planned.commits.count], [
    "test",
    idea,
    1,
  ]);
  says(
    (await syncTo(world, 0, "plan", "--no-build")).stdout,
    "a sync would deploy as a test",
    "testing/demo",
    "An idea",
  );
  await syncTo(world, 0);
  assertEquals(world.running(), planned.after);
  await repository.git("push", "--quiet", "origin", ":testing/demo");
  const over = await plan(world);
  assertEquals([over.would, over.revision], ["test-over", main]);
  says(
    (await syncTo(world, 0, "plan")).stdout,
    "a sync would end the test",
  );
});

test("a testing branch that is held is told by its own revision", async (world) => {
  const { repository } = await deployed(world, { "testing.enable": true });
  const idea = await repository.commit("An idea", {
    knobs: { build: "exit 1" },
  });
  await repository.push("testing/demo", { force: true });
  await syncTo(world, 6);
  says(
    (await syncTo(world, 9, "status", "--exit-code")).stdout,
    `${short(idea)} is blocked`,
  );
});

test("a person's word hides no log, and is told with its reason", async (world) => {
  const { repository } = await deployed(world);
  world.configure(repository, { approval: "manual" });
  const revision = await repository.publish("Second");
  await syncTo(world, 0);
  await syncTo(world, 0, "reject", revision, "--reason", "not on a Friday");
  for (const args of [[], [revision], ["-1"]]) {
    const { stdout } = await syncTo(world, 0, "logs", ...args);
    says(stdout, "waits for approval");
  }
  says((await syncTo(world, 0, "history", "show")).stdout, "waiting");
  const { id } = world.history().at(-1)!;
  says(
    (await syncTo(world, 0, "history", "show", String(id))).stdout,
    "rejected",
    "root",
    "not on a Friday",
  );
});
