import { assert, assertEquals } from "@std/assert";
import { short } from "../../lib/base/text.ts";
import type { Repository } from "../world/repository.ts";
import { output } from "../world/program.ts";
import type { World } from "../world/world.ts";
import { prepared, runs, says, syncTo, test } from "./setting.ts";

/** A second copy of the repository, beside it. */
async function copied(world: World, { bare }: Repository): Promise<string> {
  const copy = `${world.folder}/mirror.git`;
  await output(["git", "clone", "--quiet", "--mirror", bare, copy]);
  return copy;
}

const settled = "/var/lib/gitops-sync/settled.json";

test("a mirror serves while the repository is away, and none goes back", async (world) => {
  const { repository, revision } = await prepared(world);
  const { bare } = repository;
  const copy = await copied(world, repository);
  const mirrors = [`file://${copy}`];
  world.configure(repository, { mirrors });
  await syncTo(world, 0);
  runs(world, revision);
  says(
    (await syncTo(world, 0, "status")).stdout,
    `, according to file://${bare}`,
  );
  await syncTo(world, 0);
  assert(world.read(settled) !== null, "settled");

  // The repository goes away with something new in the mirror alone.
  Deno.renameSync(bare, `${bare}.away`);
  const next = await repository.commit("Only in the mirror");
  await repository.git("push", "--quiet", copy, "HEAD:main");
  const served = await syncTo(world, 0);
  says(served.stderr, `Cannot reach file://${bare}`, `file://${copy} answers`);
  runs(world, next);
  says(
    (await syncTo(world, 0, "status")).stdout,
    `, according to file://${copy}`,
  );
  // What is remembered goes by the repository.
  const { lastGood, followed, seen } = world.state()!;
  assertEquals(
    [lastGood?.target.repository, followed?.[0]?.repository],
    [`file://${bare}`, `file://${bare}`],
  );
  assertEquals(seen?.servedBy, `file://${copy}`);
  // Each run asks the repository first.
  Deno.removeSync(world.path(settled));
  await syncTo(world, 0);
  assertEquals(world.read(settled), null);

  // It comes back, and is behind the mirror.
  Deno.renameSync(`${bare}.away`, bare);
  const behind = await syncTo(world, 0);
  says(
    behind.stderr,
    `file://${bare} is behind: it is at ${short(revision)}, and ${
      short(next)
    } is deployed`,
  );
  runs(world, next);
  // So it is with all of them.
  await repository.git("push", "-qf", copy, `${revision}:refs/heads/main`);
  says((await syncTo(world, 0)).stderr, `file://${copy} is behind`);
  runs(world, next);
  assertEquals(world.state()?.holds, []);

  await repository.push("main");
  const third = await repository.publish("Third");
  await syncTo(world, 0);
  runs(world, third);
});

test("a hold counts whichever URL served", async (world) => {
  const { repository, revision } = await prepared(world);
  const copy = await copied(world, repository);
  world.configure(repository, { mirrors: [`file://${copy}`] });
  await syncTo(world, 0);
  const bad = await repository.publish("Bad", {
    knobs: { exit: { test: 1 } },
  });
  await syncTo(world, 7);
  await repository.git("push", "--quiet", copy, "HEAD:main");
  Deno.renameSync(repository.bare, `${repository.bare}.away`);
  says((await syncTo(world, 9)).stderr, `${short(bad)} has been blocked since`);
  runs(world, revision);
});

test("where no URL answers, all of them are told", async (world) => {
  const { repository } = await prepared(world);
  world.configure(repository, {
    repository: `file://${world.folder}/one`,
    mirrors: [
      { url: `file://${world.folder}/two` },
      "ssh://git@127.0.0.1:1/three",
    ],
  });
  const failed = await syncTo(world, 3);
  says(
    failed.stderr,
    `error: Cannot reach file://${world.folder}/one: there is no repository`,
    `no mirror answers either: Cannot reach file://${world.folder}/two`,
    "no mirror answers either: Cannot reach ssh://git@127.0.0.1:1/three",
  );
});

test("the highest version of a pattern counts, whichever URL has it", async (world) => {
  const { repository } = await prepared(world);
  const tag = async (name: string, to = "origin") => {
    const revision = await repository.commit(`Release ${name}`);
    await repository.git("push", "--quiet", to, `HEAD:refs/tags/${name}`);
    return revision;
  };
  await tag("v1.0.0");
  const copy = await copied(world, repository);
  const newer = await tag("v1.1.0", copy);
  world.configure(repository, {
    ref: "semver:1.x",
    mirrors: [`file://${copy}`],
  });
  Deno.renameSync(repository.bare, `${repository.bare}.away`);
  await syncTo(world, 0);
  runs(world, newer);
  Deno.renameSync(`${repository.bare}.away`, repository.bare);
  says((await syncTo(world, 0)).stderr, `file://${repository.bare} is behind`);
  runs(world, newer);
});
