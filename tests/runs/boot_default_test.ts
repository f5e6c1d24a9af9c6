import { assert, assertEquals } from "@std/assert";
import type { World } from "../world/world.ts";
import { deployed, runs, says, syncTo, test } from "./setting.ts";

const conf = "/boot/loader/loader.conf";

/** Two revisions, deployed one after the other, with the entries of both. */
async function two(world: World) {
  const { repository, revision: first } = await deployed(world);
  const before = { system: world.running()!, conf: world.read(conf)! };
  const second = await repository.publish("Second");
  await syncTo(world, 0);
  const after = { system: world.running()!, conf: world.read(conf)! };
  assert(before.conf !== after.conf);
  return { repository, first, second, before, after };
}

test("a boot entry that was set by hand is drift, and is corrected", async (world) => {
  const { repository, second, before } = await two(world);
  // The run that follows would be done before it begins.
  await syncTo(world, 0);
  world.write(conf, before.conf);
  const found = await syncTo(world, 0);
  says(found.stderr, "the boot entry is", before.system);
  const status = await syncTo(world, 0, "status");
  says(status.stdout, "out of sync with main", "the boot entry is");
  assertEquals(world.bootEntry(), before.system);
  await syncTo(world, 0, "sync", "--drift", "correct");
  runs(world, second);
  assertEquals((await syncTo(world, 0)).stderr, "");

  // What comes next is told by its own name again.
  world.write(conf, before.conf);
  const third = await repository.publish("Third");
  await syncTo(world, 0);
  runs(world, third);

  // Nor is the word of a bootloader taken that could be read before.
  world.write(conf, before.conf);
  await repository.publish("Silent", { knobs: { bootloader: "silent" } });
  const silent = await syncTo(world, 7);
  says(silent.stderr, "systemd-boot still starts");
  runs(world, third);
});

test("the way back is at its end when the bootloader knows it", async (world) => {
  const { before, after } = await two(world);
  // The power went when the profile was good again, and the entry was not.
  const profile = "/nix/var/nix/profiles/system";
  await world.output(["nix-env", "-p", profile, "--set", before.system]);
  const state = world.state()!;
  const { lastGood } = state;
  assertEquals(lastGood?.system, after.system);
  const { revision, subject, author, committedAt, target } = lastGood!;
  const attempt = {
    id: "cut",
    command: "sync" as const,
    commit: { revision, subject, author, committedAt },
    target,
    startedAt: new Date().toISOString(),
    stage: "health" as const,
    bootId: "another",
    previous: { running: before.system, bootDefault: before.system },
    candidate: after.system,
    touched: true as const,
    undoing: true as const,
  };
  world.write(
    "/var/lib/gitops-sync/state.json",
    JSON.stringify({ ...state, lastGood: state.earlier[0], attempt }),
  );
  const hold = {
    revision,
    target,
    stage: "health" as const,
    reason: "units-failed",
    message: "not well after a reboot",
    hints: [],
    since: attempt.startedAt,
  };
  const cut = JSON.stringify({
    ...state,
    lastGood: state.earlier[0],
    earlier: [],
    holds: [hold],
    attempt,
  });
  // Once it is the running system, too: somebody has chosen it in the menu.
  for (const running of [after.system, before.system]) {
    await world.output(["ln", "-sfn", running, "/run/current-system"]);
    world.write(conf, after.conf);
    world.write("/var/lib/gitops-sync/state.json", cut);
    await syncTo(world, 9);
    assertEquals(world.running(), before.system);
    assertEquals(world.bootDefault(), before.system);
    assertEquals(world.bootEntry(), before.system);
    assertEquals(world.state()?.attempt, undefined);
  }
});
