import { assert, assertEquals } from "@std/assert";
import { short } from "../../lib/base/text.ts";
import { importInto } from "../git/remote.ts";
import { output } from "../world/program.ts";
import type { Repository } from "../world/repository.ts";
import { prepared, runs, says, syncTo, test } from "./setting.ts";
import { traced } from "./strace.ts";

/** A commit under a tag of its own; the branch does not move. */
async function release(
  repository: Repository,
  tag: string,
  from = "HEAD",
): Promise<string> {
  await repository.git("checkout", "--quiet", "--detach", from);
  const revision = await repository.commit(`Release ${tag}`);
  await repository.git("tag", "--annotate", "--message=x", tag);
  await repository.git("push", "--quiet", "origin", `refs/tags/${tag}`);
  return revision;
}

test("a range of versions follows the highest tag in it, forwards", async (world) => {
  const { repository, revision: root } = await prepared(world, {
    ref: "semver:>=1.2 <2",
  });
  const none = await syncTo(world, 3);
  says(none.stderr, "has no tag of semver:>=1.2 <2", "hint: Push a tag");

  const first = await release(repository, "v1.2.0");
  await release(repository, "v2.0.0");
  await syncTo(world, 0);
  runs(world, first);
  const status = await syncTo(world, 0, "status");
  says(status.stdout, "tag v1.2.0 of semver:>=1.2 <2 is at");
  // A run with nothing to do asks once, and compares.
  await syncTo(world, 0);
  assert(world.read("/var/lib/gitops-sync/settled.json") !== null, "settled");

  // On a branch of its own, which does not descend from the first.
  const next = await release(repository, "v1.10.0", root);
  const synced = await syncTo(world, 0);
  assert(!synced.stderr.includes("was moved"), synced.stderr);
  runs(world, next);

  // A lower one that comes later changes nothing.
  await release(repository, "v1.9.9");
  await syncTo(world, 0);
  runs(world, next);

  // Nor does the highest one going away.
  await repository.git("push", "--quiet", "origin", ":refs/tags/v1.10.0");
  const refused = await syncTo(world, 4);
  says(
    refused.stderr,
    "The newest tag of semver:>=1.2 <2 is v1.9.9, which is not a higher version than v1.10.0",
  );
  await syncTo(world, 9);
  runs(world, next);

  // A person may say so.
  const [hold] = world.state()!.holds;
  await syncTo(world, 0, "accept", hold!.revision);
  await syncTo(world, 0);
  runs(world, hold!.revision);
});

/** Annotated tags 0.0.N of a revision, in one go. */
async function manyTags(
  { bare }: Repository,
  revision: string,
  count: number,
): Promise<void> {
  let text = "";
  for (let n = 1; n <= count; n++) {
    text += `tag v0.0.${n}\nfrom ${revision}\n` +
      "tagger Ada <ada@example.org> 1767225600 +0000\ndata 1\nx\n";
  }
  await importInto(bare, text);
  await output(["git", "-C", bare, "pack-refs", "--all"]);
}

test("a run with nothing to do asks once and compares, however many tags there are", async (world) => {
  const { repository, revision } = await prepared(world, {
    ref: "semver:>=0",
  });
  await manyTags(repository, revision, 10_000);
  const newest = await release(repository, "v1.0.0");
  await syncTo(world, 0);
  runs(world, newest);
  // The first looks at everything, the next takes the shortcut.
  await syncTo(world, 0);
  const { started, code } = await traced(world);
  assertEquals(code, 0);
  const lines = started.map((words) => words.join(" "));
  const asked = lines.filter((line) => line.includes("git ls-remote"));
  assertEquals(asked.length, 1, lines.join("\n"));
  // Where all is looked at, so is whether the host was rebooted.
  const isFull = lines.some((line) => line.includes("random/boot_id"));
  assertEquals(isFull, false, lines.join("\n"));
});

test("another tag of the version that is followed changes nothing", async (world) => {
  const { repository } = await prepared(world, { ref: "semver:>=1" });
  const first = await release(repository, "1.2.0");
  await syncTo(world, 0);
  runs(world, first);
  // Each sorts later, and is no higher version.
  await release(repository, "v1.2");
  await release(repository, "v1.2.0+build.2");
  says((await syncTo(world, 0)).stdout, "In sync");
  runs(world, first);
  says((await syncTo(world, 0, "status")).stdout, "tag 1.2.0 of semver:>=1");
  const next = await release(repository, "v1.2.1");
  await syncTo(world, 0);
  runs(world, next);
});

test("a tag of a pattern that is moved is refused", async (world) => {
  const { repository } = await prepared(world, { ref: "tags:web/v*" });
  const first = await release(repository, "web/v1.0");
  await release(repository, "db/v9.0");
  await syncTo(world, 0);
  runs(world, first);
  await repository.git("checkout", "--quiet", "--detach", first);
  const moved = await repository.commit("Moved");
  await repository.git("tag", "--force", "web/v1.0");
  await repository.git("push", "-qf", "origin", "refs/tags/web/v1.0");
  const refused = await syncTo(world, 4);
  says(
    refused.stderr,
    `The tag web/v1.0, the newest of tags:web/v*, was moved to ${short(moved)}`,
  );
  runs(world, first);

  const next = await release(repository, "web/v1.0.1", first);
  await syncTo(world, 0);
  runs(world, next);
  assertEquals(world.state()?.followed?.[0]?.name, "refs/tags/web/v1.0.1");
  says((await syncTo(world, 0, "status")).stdout, "in sync with tags:web/v*");
});
