/** Rollbacks that last, and what ends them. */
import { assert, assertEquals } from "@std/assert";
import { short } from "../../lib/base/text.ts";
import { deployed, runs, says, standing, syncTo, test } from "./setting.ts";

const settled = "/var/lib/gitops-sync/settled.json";

test("a host stays on what it was rolled back to until resume", async (world) => {
  const { repository, revision: first } = await deployed(world);
  const bad = await repository.publish("A bad change");
  await syncTo(world, 0);
  const back = await syncTo(
    world,
    0,
    "rollback",
    "--reason",
    "the site\nis slow",
  );
  says(
    back.stdout,
    `Rolled back to ${short(first)}`,
    "the host stays there until `gitops-sync resume`",
  );
  const before = standing(world);
  // What would bring the bad change back.
  await repository.publish("Only a README", { files: { README: "news\n" } });
  for (const args of [[], ["sync", "--now"], []]) {
    const run = await syncTo(world, 0, ...args);
    says(
      run.stdout,
      `the host stays at ${short(first)} "The first system"`,
      "root rolled this host back at ",
      "(the site is slow). Run `gitops-sync resume` to follow main again.",
    );
  }
  assertEquals(standing(world), before);
  assert(world.read(settled) !== null, "it asks cheaply");
  const retry = await syncTo(world, 0, "retry");
  says(
    retry.stderr,
    "The blocked commits stay blocked",
    "Run `gitops-sync resume`, then",
  );
  const { holds, rolledBack } = world.state()!;
  assertEquals(holds.map(({ revision }) => revision), [bad]);
  assertEquals([rolledBack?.by, rolledBack?.reason], [
    "root",
    "the site is slow",
  ]);
  const status = await syncTo(world, 0, "status");
  const offline = await syncTo(world, 0, "status", "--offline");
  for (const { stdout } of [status, offline]) {
    says(
      stdout,
      "root rolled this host back",
      "Run `gitops-sync resume` to follow main again",
    );
  }
  const last = world.history().at(-1)!;
  assertEquals([last.result, last.by, last.why], [
    "rolled-back",
    "root",
    "the site is slow",
  ]);
  const resumed = await syncTo(world, 0, "resume");
  says(resumed.stdout, "Resumed: ", `${short(bad)} stays blocked`);
  await syncTo(world, 0);
  assert(world.running() !== before.running, "it follows again");
});

test("who rolls back with sudo is told by name, and JSON tells it", async (world) => {
  const { repository, revision } = await deployed(world);
  await repository.publish("Second");
  await syncTo(world, 0);
  const env = { SUDO_USER: "ada" };
  const back = await world.startSync(["rollback", "--json"], { env }).ended;
  assertEquals(back.code, 0, back.stderr);
  assertEquals(JSON.parse(back.stdout).stays, { by: "ada" });
  const run = JSON.parse((await syncTo(world, 0, "sync", "--json")).stdout);
  assertEquals(
    [run.result, run.rolledBack.by, run.deployment.revision],
    ["rolled-back", "ada", revision],
  );
});

test("drift of a host that was rolled back is told and corrected", async (world) => {
  const { repository, system } = await deployed(world);
  await repository.publish("Second");
  await syncTo(world, 0);
  const second = world.running()!;
  await syncTo(world, 0, "rollback");
  await world.output([`${second}/bin/switch-to-configuration`, "test"]);
  const run = await syncTo(world, 0);
  says(run.text, "switched this host by hand", "the host stays at ");
  assertEquals(world.running(), second);
  await syncTo(world, 0, "sync", "--drift", "correct");
  assertEquals(world.running(), system);
  says((await syncTo(world, 0)).stdout, "the host stays at ");
});

test("a suspension and a rollback end with one resume", async (world) => {
  const { repository, revision: first } = await deployed(world);
  const second = await repository.publish("Second");
  await syncTo(world, 0);
  await syncTo(world, 0, "suspend");
  await syncTo(world, 0, "rollback");
  says((await syncTo(world, 0)).stdout, "Suspended until resume");
  await syncTo(world, 0, "suspend", "--for", "1ms");
  says((await syncTo(world, 0)).stdout, "the host stays at ");
  await syncTo(world, 0, "suspend");
  const kept = await syncTo(world, 0, "retry");
  says(kept.text, "Suspended", "The blocked commits stay blocked");
  assertEquals(world.state()!.holds.length, 1);
  await syncTo(world, 0, "resume");
  says(
    (await syncTo(world, 9)).stderr,
    `${short(second)} has been blocked since`,
  );
  runs(world, first);
  await syncTo(world, 0, "retry");
  runs(world, second);
});

test("what an older program deployed since ends a rollback", async (world) => {
  const { repository } = await deployed(world);
  await repository.publish("Second");
  await syncTo(world, 0);
  await syncTo(world, 0, "rollback");
  const file = "/var/lib/gitops-sync/state.json";
  const state = JSON.parse(world.read(file)!);
  // It takes over what it does not know.
  state.lastGood = { ...state.lastGood, system: "/nix/store/other" };
  delete state.checksum;
  delete state.sealedAt;
  world.write(file, JSON.stringify(state));
  const third = await repository.publish("Third");
  await syncTo(world, 0);
  runs(world, third);
});

test("nothing but the machine of machineId is changed", async (world) => {
  const { repository, revision } = await deployed(world);
  const before = standing(world);
  const other = "0123456789abcdef0123456789abcdef";
  world.configure(repository, { machineId: other });
  await repository.publish("Second");
  for (const args of [["sync"], ["retry"], ["rollback"], ["sync", "--now"]]) {
    const refused = await syncTo(world, 2, ...args);
    says(refused.stderr, "Refused to change this machine", other);
  }
  assertEquals(standing(world), before);
  runs(world, revision);
  const id = await world.output(["cat", "/etc/machine-id"]);
  await repository.publish("For the other one");
  const { stdout } = await syncTo(world, 0, "status");
  says(stdout, "but machineId is");
  assert(!stdout.includes("gitops-sync sync"), stdout);
  // Nothing comes of it without a person.
  await syncTo(world, 12, "status", "--wait=1m");
  says((await world.sync("doctor")).stdout, "✗ machine ", other);
  world.configure(repository, { machineId: id });
  await syncTo(world, 0);
  assert(world.running() !== before.running);
});

test("retry is not offered where it can't help", async (world) => {
  const { repository, revision } = await deployed(world);
  await repository.publish("Second");
  await syncTo(world, 0);
  await repository.git("reset", "--quiet", "--hard", revision);
  await repository.push("main", { force: true });
  const refused = await syncTo(world, 4);
  says(refused.stderr, "gitops-sync accept", "Push a new commit");
  const held = await syncTo(world, 9);
  const status = await syncTo(world, 0, "status");
  for (const { text } of [refused, held, status]) {
    assert(!text.includes("gitops-sync retry"), text);
  }
});
