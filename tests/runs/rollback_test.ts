import { assertEquals } from "@std/assert";
import { short } from "../../lib/base/text.ts";
import type { World } from "../world/world.ts";
import {
  deployed,
  prepared,
  runs,
  says,
  standing,
  syncTo,
  test,
} from "./setting.ts";

/** Three revisions, deployed one after the other. */
async function three(world: World) {
  const { repository, revision: first } = await deployed(world);
  const second = await repository.publish("Second");
  await syncTo(world, 0);
  const third = await repository.publish("Third");
  await syncTo(world, 0);
  return { repository, first, second, third };
}

test("a rollback until the next commit goes one back, and what it left stays away", async (world) => {
  const { repository, second, third } = await three(world);
  const back = await syncTo(world, 0, "rollback", "--until-next-commit");
  says(back.stdout, `Rolled back to ${short(second)} "Second" by Ada`);
  runs(world, second);
  says(
    (await syncTo(world, 9)).stderr,
    `${short(third)} has been blocked since`,
    "rolled this host back",
  );
  runs(world, second);
  says(
    (await syncTo(world, 0, "status")).stdout,
    "out of sync with main",
    "is blocked",
  );
  const next = await repository.publish("Fourth");
  await syncTo(world, 0);
  runs(world, next);
  assertEquals(world.history().map(({ result }) => result), [
    "deployed",
    "deployed",
    "deployed",
    "rolled-back",
    "deployed",
  ]);
});

test("two rollbacks go two back", async (world) => {
  const { first, second, third } = await three(world);
  await syncTo(world, 0, "rollback");
  runs(world, second);
  await syncTo(world, 0, "rollback");
  runs(world, first);
  const none = await syncTo(world, 2, "rollback");
  says(none.stderr, "Cannot roll back: there is no earlier good system");
  await syncTo(world, 0, "resume");
  await syncTo(world, 9);
  await syncTo(world, 0, "retry");
  runs(world, third);
});

test("a rollback over several leaves all of them, as one after the other do", async (world) => {
  const { repository, first, second, third } = await three(world);
  const fourth = await repository.publish("Fourth");
  await syncTo(world, 0);
  await syncTo(world, 0, "rollback", "--to", second);
  runs(world, second);
  const left = () => world.state()!.holds.map(({ revision }) => revision);
  assertEquals(left().toSorted(), [third, fourth].toSorted());
  // Not to one that it went past.
  await syncTo(world, 0, "rollback");
  runs(world, first);
  assertEquals(left().toSorted(), [second, third, fourth].toSorted());
  const none = await syncTo(world, 2, "rollback");
  says(
    none.stderr,
    "Cannot roll back: there is no earlier good system",
    `${short(third)} "Third"`,
    "gitops-sync rollback --to REVISION",
  );
  runs(world, first);

  // A person may go to any of them, and is back with Git by a new commit.
  await syncTo(world, 0, "rollback", "--to", third);
  runs(world, third);
  await syncTo(world, 0, "resume");
  says(
    (await syncTo(world, 9)).stderr,
    `${short(fourth)} has been blocked since`,
  );
  const fifth = await repository.publish("Fifth");
  await syncTo(world, 0);
  runs(world, fifth);
  await syncTo(world, 0, "rollback");
  runs(world, third);
});

test("a rollback to a revision takes the beginning of its hash", async (world) => {
  const { first, second, third } = await three(world);
  const before = standing(world);
  for (const to of ["ffffffff", "abc", first.slice(0, 3)]) {
    const unknown = await syncTo(world, 2, "rollback", "--to", to);
    says(
      unknown.stderr,
      `Cannot roll back to ${to}: no good system`,
      `Choose one of these: ${short(third)} "Third", ${short(second)} "Second"`,
    );
  }
  assertEquals(standing(world), before);
  await syncTo(world, 0, "rollback", "--to", first.slice(0, 7).toUpperCase());
  runs(world, first);
  says((await syncTo(world, 0)).stdout, `the host stays at ${short(first)}`);
  // Onto what it left, which a person may.
  await syncTo(world, 0, "rollback", `--to=${third}`);
  runs(world, third);
  await syncTo(world, 0, "resume");
  assertEquals(
    (await syncTo(world, 0)).stdout,
    `In sync: main is at ${short(third)}\n`,
  );
});

test("a beginning that fits two revisions is refused", async (world) => {
  const { first, second } = await three(world);
  // Two hashes that begin alike can't be had; the state can.
  const file = "/var/lib/gitops-sync/state.json";
  const twin = `${first.slice(0, 8)}${second.slice(8)}`;
  world.write(file, world.read(file)!.replaceAll(second, twin));
  const ambiguous = await syncTo(
    world,
    2,
    "rollback",
    "--to",
    first.slice(0, 6),
  );
  says(ambiguous.stderr, "2 revisions begin with it", "Choose one of these: ");
});

test("a system that is gone from the store is not rolled back to", async (world) => {
  const { first, second, third } = await three(world);
  const { earlier } = world.state()!;
  const path = earlier.find(({ revision }) => revision === second)!.system;
  await world.output(["chmod", "-R", "u+w", path]);
  await world.output(["rm", "-r", path]);
  const gone = await syncTo(world, 2, "rollback");
  says(
    gone.stderr,
    `Cannot roll back to ${short(second)}: ${path} is no longer in the store`,
  );
  runs(world, third);
  await syncTo(world, 0, "rollback", "--to", first);
  runs(world, first);
});

test("good systems are protected from garbage collection, as many as are kept", async (world) => {
  const { repository } = await deployed(world, { keep: 2 });
  const systems = [world.running()!];
  for (const name of ["b", "c", "d"]) {
    await repository.publish(name);
    await syncTo(world, 0);
    systems.push(world.running()!);
  }
  await world.output([
    "nix-env",
    "--profile",
    "/nix/var/nix/profiles/system",
    "--delete-generations",
    "old",
  ]);
  await world.output(["nix-collect-garbage"]);
  const there = systems.map((path) =>
    world.read(`${path}/nixos-version`) !== null
  );
  assertEquals(there, [false, true, true, true]);
  await syncTo(world, 0, "rollback");
  assertEquals(world.running(), systems[2]);
});

test("a rollback that fails leaves the host as it was", async (world) => {
  const flag = `${world.folder}/broken`;
  const { repository } = await deployed(world, {}, {
    knobs: { activation: `test ! -e ${flag}` },
  });
  await repository.publish("Second", { knobs: { activation: undefined } });
  await syncTo(world, 0);
  const before = standing(world);
  Deno.writeTextFileSync(flag, "");
  says(
    (await syncTo(world, 7, "rollback")).stderr,
    "the previous system runs again",
  );
  assertEquals(standing(world), before);
  says((await syncTo(world, 0)).stdout, "In sync: main is at ");
});

test("there is nothing to roll back to on a new host", async (world) => {
  await prepared(world);
  says(
    (await syncTo(world, 2, "rollback")).stderr,
    "there is no earlier good system",
  );
  says(
    (await syncTo(world, 2, "rollback", "--to", "abcdef")).stderr,
    "hint: Run `gitops-sync sync` first",
  );
});
