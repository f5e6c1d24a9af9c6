import { assert, assertEquals } from "@std/assert";
import { short } from "../../lib/base/text.ts";
import type { World } from "../world/world.ts";
import { deployed, runs, says, standing, syncTo, test } from "./setting.ts";

/** Runs gitops-sync where a folder has room for one megabyte. */
async function syncWithLittleRoom(world: World, folder: string) {
  const script = 'mkdir -p "$1" && mount -t tmpfs -o size=1m none "$1" && ' +
    "shift && TMPDIR=$1 && export TMPDIR && exec gitops-sync";
  const ended = await world.run(["sh", "-c", script, "sh", folder, folder]);
  return { ...ended, text: `${ended.stdout}${ended.stderr}` };
}

test("a full disk is tried again, after a pause that grows", async (world) => {
  const { repository } = await deployed(world);
  const before = standing(world);
  const small = `${world.folder}/small`;
  const revision = await repository.publish("A large build", {
    knobs: { build: "dd if=/dev/zero of=large bs=1M count=3 || exit 1" },
  });
  const first = await syncWithLittleRoom(world, small);
  console.log(first.text);
  assertEquals(first.code, 6);
  const second = await syncWithLittleRoom(world, small);
  assertEquals(second.code, 6);
  const { backoff, holds, last } = world.state()!;
  assertEquals([last?.reason, last?.times, holds], ["disk-full", 2, []]);
  assertEquals([backoff?.revision, backoff?.failures], [revision, 2]);
  const waiting = await syncTo(world, 9);
  says(
    waiting.stderr,
    `warning: ${
      short(revision)
    } failed 2 times for what may pass; it is tried again after`,
  );
  const status = await syncTo(world, 0, "status");
  says(
    status.stdout,
    "failed 2 times for what may pass",
    "sync --now tries at once",
  );
  assertEquals(standing(world), before);

  await syncTo(world, 0, "sync", "--now");
  runs(world, revision);
  assertEquals(world.state()?.backoff, undefined);
});

test("a build that takes too long is tried again", async (world) => {
  const { repository } = await deployed(world);
  await repository.publish("A slow build", { knobs: { build: "sleep 8" } });
  const slow = await syncTo(world, 6, "--timeouts-build=1s");
  says(slow.stderr, "it took longer than timeouts.build", "(now 1.0s)");
  await syncTo(world, 6, "--timeouts-build=1s");
  await syncTo(world, 9);
  // Another commit need not wait.
  const revision = await repository.publish("A quick one", {
    knobs: { build: undefined },
  });
  await syncTo(world, 0);
  runs(world, revision);
});

test("another switch at work is waited for in a later run", async (world) => {
  const { repository } = await deployed(world);
  const before = standing(world);
  await repository.publish("The same", { knobs: { exit: { test: 11 } } });
  says((await syncTo(world, 7)).stderr, "another switch was under way");
  assertEquals(standing(world), before);
  assertEquals(world.state()?.holds, []);
  await syncTo(world, 7);
  await syncTo(world, 9);
  says((await syncTo(world, 7, "retry")).stderr, "another switch");
  assertEquals(world.state()?.backoff?.failures, 1);
});

const fill = "head -c 4000000 /dev/zero >/var/lib/gitops-sync/fill; true";

/** Runs gitops-sync where the state folder has room for a megabyte alone. */
async function syncInSmallFolder(world: World, first = "true", args = "") {
  const script = `folder=${world.folder}/small-state; mkdir -p $folder
    mount -t tmpfs -o size=1m none $folder
    cp /var/lib/gitops-sync/*.json* $folder
    mount --bind $folder /var/lib/gitops-sync
    ${first}
    gitops-sync ${args}`;
  const ended = await world.run(["sh", "-c", script]);
  return { ...ended, text: `${ended.stdout}${ended.stderr}` };
}

test("a state folder without room leaves the host as it is", async (world) => {
  const { repository } = await deployed(world);
  const before = standing(world);
  console.log(await syncInSmallFolder(world, fill));
  await repository.publish("News");
  console.log(await syncInSmallFolder(world, fill));
  console.log(await syncInSmallFolder(world, fill, "suspend"));
  await repository.publish("The build takes the room", {
    knobs: { build: fill },
  });
  console.log(await syncInSmallFolder(world));
  await repository.publish("The activation takes the room", {
    knobs: { build: undefined, activation: fill },
  });
  console.log(await syncInSmallFolder(world), standing(world), before);
  const large = crypto.getRandomValues(new Uint8Array(60000));
  await repository.publish("A large commit", {
    files: Object.fromEntries(Array.from({ length: 20 }, (_, i) => {
      large[i] = i;
      return [`large/${i}`, large.slice(i)];
    })),
  });
  console.log(await syncInSmallFolder(world), standing(world), before);
});
