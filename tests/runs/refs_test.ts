import { assertEquals } from "@std/assert";
import { short } from "../../lib/base/text.ts";
import {
  deployed,
  prepared,
  runs,
  says,
  standing,
  syncTo,
  test,
} from "./setting.ts";

const main = "refs/heads/main";

test("a rewritten branch is refused until it is allowed", async (world) => {
  const { repository, revision } = await deployed(world);
  const before = standing(world);
  await repository.git("commit", "--quiet", "--amend", "--message=Rewritten");
  const rewritten = await repository.head();
  await repository.push("main", { force: true });
  const refused = await syncTo(world, 4);
  says(refused.stderr, `The branch main was moved to ${short(rewritten)}`);
  says(refused.stderr, `does not descend from ${short(revision)}`);
  says(
    refused.stderr,
    `hint: if this was meant, allow it once: gitops-sync accept ${rewritten}`,
  );
  // Nothing of it was evaluated.
  const stages = world.history().at(-1)!.stages as { stage: string }[];
  assertEquals(
    stages.map(({ stage }) => stage),
    ["preflight", "fetch", "verify"],
  );
  says(
    (await syncTo(world, 9)).stderr,
    `${short(rewritten)} has been blocked since`,
  );
  const status = await syncTo(world, 0, "status");
  says(
    status.stdout,
    "out of sync with main",
    `${short(rewritten)} is blocked`,
  );
  assertEquals(standing(world), before);

  await syncTo(world, 0, "sync", "--allow-force-push");
  runs(world, rewritten);
  await repository.git("reset", "--quiet", "--hard", revision);
  await repository.push("main", { force: true });
  await syncTo(world, 4);
  world.configure(repository, { allowForcePush: true });
  await syncTo(world, 0);
  runs(world, revision);
});

test("a branch that goes back to an earlier commit is refused", async (world) => {
  const { repository } = await deployed(world);
  const second = await repository.publish("Second");
  await syncTo(world, 0);
  await repository.git("reset", "--quiet", "--hard", "HEAD^");
  await repository.push("main", { force: true });
  await syncTo(world, 4);
  runs(world, second);
  // And forwards again, along another way.
  await repository.publish("Another second");
  await syncTo(world, 4);
  await repository.git(
    "merge",
    "--quiet",
    "--strategy=ours",
    "--message=Merge",
    second,
  );
  const merged = await repository.head();
  await repository.push();
  await syncTo(world, 0);
  runs(world, merged);
});

test("a deleted branch leaves the host as it is and says what is near", async (world) => {
  const { repository, revision } = await deployed(world);
  await repository.push("maint");
  await repository.git("-C", repository.bare, "update-ref", "-d", main);
  const gone = await syncTo(world, 3);
  says(gone.stderr, "has no branch or tag main", "did you mean maint?");
  runs(world, revision);
  await syncTo(world, 3);
  assertEquals(world.state()?.last?.times, 2);
  const status = await syncTo(world, 0, "status");
  says(
    status.stdout,
    "the repository could not be queried",
    "has no branch or tag main",
  );
  const next = await repository.publish("It is back");
  await syncTo(world, 0);
  runs(world, next);
});

test("a tag is followed, light and annotated, and its moves are told", async (world) => {
  const { repository, revision } = await prepared(world, { ref: "v1" });
  await repository.git("tag", "v1");
  await repository.git("push", "--quiet", "origin", "v1");
  await syncTo(world, 0);
  runs(world, revision);
  says((await syncTo(world, 0, "status")).stdout, "tag v1 is at");

  const second = await repository.commit("Second");
  await repository.git("tag", "--force", "--annotate", "--message=One", "v1");
  await repository.git("push", "--quiet", "--force", "origin", "v1");
  const moved = await syncTo(world, 0);
  says(
    moved.stderr,
    `warning: The tag v1 was moved from ${short(revision)} to ${short(second)}`,
  );
  runs(world, second);
  assertEquals((await syncTo(world, 0)).stderr, "");

  await repository.git("tag", "--force", "v1", revision);
  await repository.git("push", "--quiet", "--force", "origin", "v1");
  const back = await syncTo(world, 4);
  says(back.stderr, "warning: The tag v1 was moved", "The tag v1 was moved to");
  runs(world, second);
});

test("a full commit is deployed, whatever the branches do", async (world) => {
  const { repository, revision } = await prepared(world);
  await repository.publish("Second");
  world.configure(repository, { ref: revision });
  await syncTo(world, 0);
  runs(world, revision);
  assertEquals(
    (await syncTo(world, 0)).text,
    `In sync: ${revision} is at ${short(revision)}\n`,
  );
  says((await syncTo(world, 0, "status")).stdout, "in sync with", "commit ");

  const missing = "1".repeat(40);
  world.configure(repository, { ref: missing });
  says(
    (await syncTo(world, 3)).stderr,
    "it no longer has the requested branch, tag or commit",
  );
  runs(world, revision);
});

test("a name that is a branch and a tag must be written in full", async (world) => {
  const { repository, revision } = await prepared(world, { ref: "release" });
  await repository.git("tag", "release");
  await repository.git("push", "--quiet", "origin", "refs/tags/release");
  const second = await repository.commit("Second");
  await repository.push("release");
  const ambiguous = await syncTo(world, 3);
  says(
    ambiguous.stderr,
    "has a branch and a tag with that name",
    "hint: set ref to refs/heads/release or refs/tags/release in the configuration",
  );
  assertEquals(world.running(), null);
  world.configure(repository, { ref: "refs/tags/release" });
  await syncTo(world, 0);
  runs(world, revision);
  world.configure(repository, { ref: "refs/heads/release" });
  await syncTo(world, 0);
  runs(world, second);
});

test("a repository that was emptied leaves the host as it is", async (world) => {
  const { repository, revision } = await deployed(world);
  await repository.git("-C", repository.bare, "update-ref", "-d", main);
  const empty = await syncTo(world, 3);
  says(empty.stderr, "has no branches or tags", "hint: Push a commit to main");
  runs(world, revision);
});

test("a remote that is gone is an error, and nothing older is used", async (world) => {
  const { repository, revision } = await deployed(world, { retries: 0 });
  const pushed = await repository.publish("Never seen in time");
  await Deno.rename(repository.bare, `${repository.bare}.away`);
  const gone = await syncTo(world, 3);
  says(gone.stderr, `Cannot reach file://${repository.bare}: there is no`);
  await syncTo(world, 3, "retry");
  runs(world, revision);
  assertEquals(world.history().length, 1);
  const away = await syncTo(world, 0, "status");
  says(
    away.stdout,
    "the repository could not be queried",
    "failed, ",
    "2 times in a row",
  );
  says(
    away.stdout,
    "last known tip of main: ",
    "The next run queries the repository again.",
  );
  await Deno.rename(`${repository.bare}.away`, repository.bare);
  await syncTo(world, 0);
  runs(world, pushed);
});

test("an outage that is over does not hide the attempt before it", async (world) => {
  const { repository, revision } = await deployed(world, { retries: 0 });
  await Deno.rename(repository.bare, `${repository.bare}.away`);
  await syncTo(world, 3);
  await Deno.rename(`${repository.bare}.away`, repository.bare);
  await syncTo(world, 0);
  const status = await syncTo(world, 0, "status");
  says(status.stdout, "in sync with main", `deployed ${short(revision)}, `);
  const { last } = JSON.parse(
    (await syncTo(world, 0, "status", "--json")).stdout,
  );
  assertEquals([last.result, last.revision], ["deployed", revision]);
});
