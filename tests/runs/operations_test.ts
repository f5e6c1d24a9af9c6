import { assertEquals } from "@std/assert";
import type { World } from "../world/world.ts";
import {
  deployed,
  prepared,
  revisionOf,
  runs,
  says,
  standing,
  syncTo,
  test,
} from "./setting.ts";

/** The revisions of what runs, what boots, and what the bootloader starts. */
function revisions(world: World) {
  return Object.values(standing(world)).map((path) => revisionOf(world, path));
}

function actions(world: World): string[] {
  return world.calls().map(({ action }) => action);
}

test("boot changes what the next boot starts, and nothing now", async (world) => {
  const { repository, revision } = await deployed(world);
  world.configure(repository, { operation: "boot" });
  const next = await repository.publish("For the next boot");
  const ended = await syncTo(world, 0);
  says(ended.text, "waits for the next boot", "; it starts with the next boot");
  assertEquals(revisions(world), [revision, next, next]);
  assertEquals(actions(world), ["test", "boot", "boot"]);
  says((await syncTo(world, 0)).text, "In sync");
  says((await syncTo(world, 0, "status")).stdout, "in sync with main", "boots");

  await repository.publish("No bootloader", { knobs: { exit: { boot: 1 } } });
  await syncTo(world, 7);
  assertEquals(revisions(world), [revision, next, next]);
  await syncTo(world, 9);
  await syncTo(world, 0, "rollback");
});

test("a pre-switch check refuses a revision, and never the way back", async (world) => {
  // It fails once the host is broken.
  const { repository, revision } = await deployed(world, {}, {
    knobs: { preSwitchChecks: { network: "test ! -e /run/broken" } },
  });
  await repository.publish("Bad", {
    knobs: { activation: "touch /run/broken", exit: { test: 4, boot: 0 } },
  });
  const back = await syncTo(world, 7);
  says(back.stderr, "runs again");
  assertEquals(revisions(world), [revision, revision, revision]);

  // The next revision is refused by its own check, before anything is changed.
  const calls = world.calls().length;
  await repository.publish("Wrong place", {
    knobs: { activation: undefined, exit: {} },
  });
  const refused = await syncTo(world, 6);
  says(refused.stderr, "its pre-switch check network failed; nothing was");
  assertEquals(revisions(world), [revision, revision, revision]);
  assertEquals(world.calls().length, calls + 1);
  assertEquals(world.state()!.attempt, undefined);
});

test("what only a reboot can change says so, and is held", async (world) => {
  const { repository, revision } = await deployed(world);
  await repository.publish("Another D-Bus", {
    knobs: {
      preSwitchChecks: {
        switchInhibitors:
          "echo 'dbus-implementation : dbus -> broker' >&2; false",
      },
    },
  });
  const refused = await syncTo(world, 11);
  says(
    refused.stderr,
    "this change needs a reboot",
    "dbus-implementation : dbus -> broker",
    "Set `operation: boot` to deploy it at the next reboot.",
  );
  assertEquals(revisions(world), [revision, revision, revision]);
  world.configure(repository, { operation: "boot" });
  await syncTo(world, 0, "retry");
});

test("test changes what runs, and not what a reboot starts", async (world) => {
  const { repository, revision } = await deployed(world);
  world.configure(repository, { operation: "test" });
  const next = await repository.publish("Only until the next boot");
  says((await syncTo(world, 0)).text, "confirm: until the next reboot");
  assertEquals(revisions(world), [next, revision, revision]);
  assertEquals(actions(world), ["test", "boot", "test"]);
  says((await syncTo(world, 0)).text, "In sync");
  await repository.publish("Bad", { knobs: { exit: { test: 2 } } });
  await syncTo(world, 7);
  assertEquals(revisions(world), [next, revision, revision]);
});

test("build changes nothing, and is done once", async (world) => {
  const { repository, revision } = await prepared(world, {
    operation: "build",
  });
  const built = await syncTo(world, 0);
  says(built.stdout, "Built ");
  assertEquals(revisions(world), [null, null, null]);
  assertEquals(revisionOf(world, world.state()!.built!.system), revision);
  says((await syncTo(world, 0)).text, "In sync: main is at");
  assertEquals(actions(world), []);
  await repository.publish("Bad", { knobs: { build: "exit 1" } });
  await syncTo(world, 6);
  await syncTo(world, 9);
  const next = await repository.publish("Good", {
    knobs: { build: undefined },
  });
  world.configure(repository);
  await syncTo(world, 0);
  runs(world, next);
});

test("drift is reported, and corrected where that is wanted", async (world) => {
  const { repository, revision, system } = await deployed(world);
  const next = await repository.publish("Second");
  await syncTo(world, 0);
  // Somebody switches by hand.
  await world.output([`${system}/bin/switch-to-configuration`, "test"]);
  const reported = await syncTo(world, 0);
  says(reported.stdout, "In sync: main is at");
  says(
    reported.stderr,
    `warning: Somebody switched this host by hand: the running system is ${system}`,
    "hint: Run `gitops-sync sync --drift correct`",
  );
  assertEquals(revisions(world), [revision, next, next]);
  says(
    (await syncTo(world, 0, "status")).stdout,
    "out of sync with main",
    "somebody switched by hand: the running",
  );
  const json = JSON.parse((await syncTo(world, 0, "--json")).stdout);
  assertEquals([json.result, json.drift.what, json.drift.actual], [
    "in-sync",
    "running system",
    system,
  ]);
  says(
    (await syncTo(world, 0, "sync", "--drift", "correct")).stdout,
    "Corrected drift: activated",
  );
  runs(world, next);

  world.configure(repository, { drift: "correct" });
  const profile = "/nix/var/nix/profiles/system";
  await world.output(["nix-env", "--profile", profile, "--set", system]);
  await syncTo(world, 0);
  runs(world, next);
  assertEquals((await syncTo(world, 0)).stderr, "");

  // A new commit is deployed from wherever the host stands.
  await world.output([`${system}/bin/switch-to-configuration`, "switch"]);
  const third = await repository.publish("Third");
  await syncTo(world, 0);
  runs(world, third);
});

test("drift is corrected while the branch is held, and by a good system only", async (world) => {
  const { repository, revision, system } = await deployed(world, {
    drift: "correct",
  });
  const second = await repository.publish("Second");
  await syncTo(world, 0);
  await repository.publish("Bad", { knobs: { build: "exit 1" } });
  await syncTo(world, 6);
  await world.output([`${system}/bin/switch-to-configuration`, "test"]);
  await syncTo(world, 0);
  runs(world, second);
  // And a failed one on top of a host that drifted goes back to the drift.
  world.configure(repository);
  await world.output([`${system}/bin/switch-to-configuration`, "test"]);
  await repository.publish("Bad too", {
    knobs: { build: undefined, exit: { test: 4 } },
  });
  await syncTo(world, 7);
  assertEquals(revisions(world), [revision, second, second]);
});
