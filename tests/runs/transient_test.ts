import { assertEquals } from "@std/assert";
import { short } from "../../lib/base/text.ts";
import type { Ended } from "../world/program.ts";
import type { World } from "../world/world.ts";
import { deployed, runs, says, standing, syncTo, test } from "./setting.ts";

/** Runs gitops-sync where a folder has room for one megabyte. */
async function syncWithLittleRoom(world: World, folder: string) {
  const script =
    'mkdir -p "$1" && mount -t tmpfs -o size=1m,mode=0700 none "$1" && ' +
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
    } failed twice with a temporary error; the next run after`,
  );
  const status = await syncTo(world, 0, "status");
  says(
    status.stdout,
    "failed twice with a temporary error",
    "sync --now` to try at once",
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
  says(slow.stderr, "it took longer than timeouts.build (1.0s)");
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
  says((await syncTo(world, 10)).stderr, "another switch was in progress");
  assertEquals(standing(world), before);
  assertEquals(world.state()?.holds, []);
  await syncTo(world, 10);
  await syncTo(world, 9);
  says((await syncTo(world, 10, "retry")).stderr, "another switch");
  assertEquals(world.state()?.backoff?.failures, 1);
});

const fill = "head -c 4000000 /dev/zero >/var/lib/gitops-sync/fill || true";

/** Runs gitops-sync where the state folder has room for a megabyte alone. */
async function syncInSmallFolder(
  world: World,
  first = "",
  command = "sync",
): Promise<Ended> {
  const script = `folder=${world.folder}/small-state; mkdir -p $folder
    mount -t tmpfs -o size=1m,mode=0700 none $folder
    cp /var/lib/gitops-sync/*.json* $folder
    mount --bind $folder /var/lib/gitops-sync
    { ${first || "true"}; } 2>/dev/null
    exec gitops-sync ${command}`;
  return await world.run(["sh", "-c", script]);
}

test("a state folder without room is told, and nothing is changed", async (world) => {
  const { repository, revision } = await deployed(world);
  const before = standing(world);
  const nothing = await syncInSmallFolder(world, fill);
  assertEquals(nothing, {
    code: 0,
    stdout: `In sync: main is at ${short(revision)}\n`,
    stderr: "",
  });
  const suspended = await syncInSmallFolder(world, fill, "suspend");
  assertEquals(suspended.code, 2);
  says(suspended.stderr, "suspended.json': No space left on device", "df -h");

  await repository.publish("News");
  const news = await syncInSmallFolder(world, fill);
  assertEquals(news.code, 2);
  says(
    news.stderr,
    "state.json': No space left on device",
    "hint: Find the full file system",
  );

  const random = () => crypto.getRandomValues(new Uint8Array(60_000));
  await repository.publish("More than there is room for", {
    files: Object.fromEntries(
      Array.from({ length: 25 }, (_, i) => [`file${i}`, random()]),
    ),
  });
  const fetched = await syncInSmallFolder(world);
  assertEquals(fetched.code, 3);
  says(fetched.stderr, "this host has no space left for the fetched data");
  assertEquals(standing(world), before);
});

test("a disk that fills up on the way is no end of the way back", async (world) => {
  const { repository, revision } = await deployed(world);
  const before = standing(world);
  await repository.publish("The build takes the room", {
    knobs: { build: fill.replace("|| true", "") },
  });
  const built = await syncInSmallFolder(world);
  assertEquals(built.code, 6);
  says(built.stderr, "failed to build: no space left");
  assertEquals(standing(world), before);

  await repository.publish("The activation takes the room", {
    knobs: { build: undefined, activation: fill },
  });
  const activated = await syncInSmallFolder(world);
  assertEquals(activated.code, 7);
  says(activated.stderr, "activate: runs now", "No space left on device");
  says(activated.stderr, "; the previous system runs again");
  runs(world, revision);
});

test("a rebuild by hand is waited for, unless it is a container's", async (world) => {
  const { repository } = await deployed(world);
  const rebuild =
    "exec -a nixos-rebuild tail -f /dev/null switch >/dev/null 2>&1";
  const elsewhere = world.start(["bash", "-c", rebuild]);
  const revision = await repository.publish("News");
  await syncTo(world, 0);
  runs(world, revision);
  elsewhere.kill();

  await repository.publish("More news");
  const script = `(${rebuild}) & gitops-sync; code=$?; kill $!; exit $code`;
  const refused = await world.run(["bash", "-c", script]);
  assertEquals(refused.code, 10, refused.stderr);
  says(refused.stderr, "Cannot deploy: nixos-rebuild is in progress (process ");
  assertEquals(world.state()?.last?.reason, "other-rebuild");
  await syncTo(world, 0);
});
