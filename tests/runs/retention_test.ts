import { assert, assertEquals } from "@std/assert";
import { exists } from "@std/fs";
import { expendable } from "../../lib/nix/retention.ts";
import { deployed, runs, says, syncTo, test } from "./setting.ts";
import type { World } from "../world/world.ts";

/** The numbers of the generations of the system profile. */
function generations(world: World): number[] {
  return [...Deno.readDirSync(world.path("/nix/var/nix/profiles"))]
    .flatMap(({ name }) => /^system-(\d+)-link$/.exec(name)?.[1] ?? [])
    .map(Number).sort((a, b) => a - b);
}

test("boot entries are kept to a number, and ways back beside them", async (world) => {
  const { repository } = await deployed(world);
  for (const subject of ["Second", "Third", "Fourth"]) {
    await repository.publish(subject);
    await syncTo(world, 0);
  }
  assertEquals(generations(world), [1, 2, 3, 4]);
  world.configure(repository, { bootEntries: 1 });
  const fifth = await repository.publish("Fifth");
  const run = await syncTo(world, 0);
  assert(!run.stderr.includes("warning"), run.stderr);
  runs(world, fifth);
  // What ran before is a way back, and so is the good one before it.
  assertEquals(generations(world), [3, 4, 5]);

  // What was booted, though it is old, is what a kernel's modules come from.
  const booted = await Deno.readLink(
    world.path("/nix/var/nix/profiles/system-3-link"),
  );
  await Deno.symlink(booted, world.path("/run/booted-system"));
  for (const subject of ["Sixth", "Seventh"]) {
    await repository.publish(subject);
    await syncTo(world, 0);
  }
  assertEquals(generations(world), [3, 5, 6, 7]);
  await syncTo(world, 0, "rollback");
});

test("garbage goes after a deployment, and no way back with it", async (world) => {
  const { repository, system: first } = await deployed(world, {
    garbageCollect: true,
    keep: 1,
  });
  const systems = [first];
  for (const subject of ["Second", "Third", "Fourth"]) {
    const revision = await repository.publish(subject);
    const run = await syncTo(world, 0);
    says(run.stderr, "Garbage collected: ", " freed");
    systems.push(runs(world, revision));
  }
  // All have generations, which are left alone.
  assert(await exists(world.path(first)), "no generation was deleted");
  await world.output(
    [
      "nix-env",
      "-p",
      "/nix/var/nix/profiles/system",
      "--delete-generations",
      "old",
    ],
  );
  const fifth = await repository.publish("Fifth");
  await syncTo(world, 0);
  systems.push(runs(world, fifth));
  const left = await Promise.all(
    systems.map((system) => exists(world.path(system))),
  );
  assertEquals(left, [false, false, false, true, true]);
  await syncTo(world, 0, "rollback");
  assertEquals(world.running(), systems[3]!);
});

Deno.test("of generations the newest are kept, and those that are needed", () => {
  const all = [3, 1, 2, 10].map((number) => ({ number, system: `/${number}` }));
  const table: [most: number, needed: string[], expected: number[]][] = [
    [9, [], []],
    [4, [], []],
    [2, [], [2, 1]],
    [1, ["/1"], [3, 2]],
    [0, ["/10", "/2"], [3, 1]],
    [0, [], [10, 3, 2, 1]],
  ];
  for (const [most, needed, expected] of table) {
    assertEquals(expendable(all, new Set(needed), most), expected);
  }
});
