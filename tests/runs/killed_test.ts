import { assert, assertEquals } from "@std/assert";
import { exists } from "@std/fs";
import type { Knobs } from "../world/repository.ts";
import type { Program } from "../world/program.ts";
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
import { matters, Shims, type Stop } from "./shims.ts";

test("a run that is killed at any call is finished or undone by the next", async (world) => {
  const { repository } = await deployed(world);
  const shims = new Shims(world);
  await repository.publish("Undisturbed");
  await shims.start().ended;
  const stops: Stop[] = shims.calls().flatMap((call, i) => [
    ...(/^git .* (fetch|update-ref) |^nix-/.test(call)
      ? [{ call: i + 1, when: "before" as const }]
      : []),
    ...(matters(call) ? [{ call: i + 1, when: "after" as const }] : []),
  ]);
  for (const stop of stops) {
    const what = `${stop.when} ${stop.call}: ${shims.calls()[stop.call - 1]}`;
    const revision = await repository.publish(`Killed ${what}`);
    const run = shims.start([], stop);
    const stopped = await shims.stopped(run);
    assert(stopped, what);
    run.kill();
    assertEquals((await run.ended).code, 137);
    stopped.kill();
    const stage = world.state()?.attempt?.stage;
    const next = await syncTo(world, 0);
    if (stage) says(next.stderr, `was interrupted at the ${stage} stage`);
    if (stage === "confirm") says(next.text, "is confirmed now", "In sync");
    else says(next.stdout, "Deployed");
    runs(world, revision);
    assertEquals(world.state()?.attempt, undefined);
    assertEquals(world.history().at(-1)?.result, "deployed");
  }
});

/** Kills a run once the activation has made a file. */
async function killAtActivation(world: World): Promise<void> {
  await Deno.remove(`${world.folder}/begun`).catch(() => {});
  const run = world.startSync([]);
  while (!await exists(`${world.folder}/begun`)) await pause(run);
  // Not its group: the activation may be in it (Deno before 2.4).
  run.signal("SIGKILL");
  await run.ended;
}

async function pause(run: Program): Promise<void> {
  const passed = new Promise((resolve) => setTimeout(resolve, 5, null));
  const ended = await Promise.race([run.ended, passed]);
  if (ended !== null) throw new Error(`it ended: ${JSON.stringify(ended)}`);
}

function slow(world: World): Knobs {
  const { folder } = world;
  return {
    activation: `touch ${folder}/begun; sleep 0.3; touch ${folder}/over`,
  };
}

test("an activation that outlives its run is waited for and undone", async (world) => {
  const { repository, revision, system } = await deployed(world);
  const bad = await repository.publish("Slow", { knobs: slow(world) });
  await killAtActivation(world);
  const status = await syncTo(world, 0, "status");
  says(status.stdout, "was interrupted at the activate stage. The next run");
  await syncTo(world, 0, "suspend");
  // Even a suspended host is brought back to where it was.
  const undone = await syncTo(world, 0);
  assert(await exists(`${world.folder}/over`), "it was waited for");
  says(undone.text, "Rolling back to the previous system", "Suspended");
  assertEquals(runs(world, revision), system);
  assertEquals(world.state()?.cutOff, { revision: bad, times: 1 });
  says((await syncTo(world, 0, "history")).stdout, "interrupted at activate");
});

test("a revision that cuts runs off twice is held", async (world) => {
  const { repository, revision } = await deployed(world);
  const bad = await repository.publish("Slow", { knobs: slow(world) });
  await killAtActivation(world);
  await killAtActivation(world);
  const held = await syncTo(world, 9);
  says(
    held.stderr,
    "has been blocked since",
    "hint: Check whether this commit crashes",
  );
  runs(world, revision);
  assertEquals(world.state()?.holds[0]?.revision, bad);
  // A person may insist.
  await syncTo(world, 0, "retry");
  runs(world, bad);
  assertEquals(world.state()?.cutOff, undefined);
});

test("a run is killed while it puts the previous system back", async (world) => {
  const { repository, revision } = await deployed(world, {}, {
    knobs: slow(world),
  });
  await repository.publish("Bad", {
    knobs: { activation: undefined, exit: { test: 4 } },
  });
  const before = standing(world);
  await killAtActivation(world);
  assertEquals(world.state()?.attempt?.undoing, true);
  const next = await syncTo(world, 7);
  says(next.stderr, "Rolling back to the previous system");
  assertEquals(standing(world), before);
  runs(world, revision);
});

test("the first run on a host with no system can fail and be killed", async (world) => {
  const { repository } = await prepared(world, {}, {
    knobs: { exit: { test: 4 } },
  });
  says(
    (await syncTo(world, 8)).stderr,
    "units could not be handled; no system ran before, so there is nothing to roll back to",
  );
  assertEquals(world.bootDefault(), null);
  await syncTo(world, 9);
  const revision = await repository.publish("Slow", {
    knobs: { ...slow(world), exit: undefined },
  });
  await killAtActivation(world);
  await syncTo(world, 0);
  runs(world, revision);
});
