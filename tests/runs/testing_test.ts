/** The testing branch: what is tried out until the next reboot. */
import { assert, assertEquals } from "@std/assert";
import { short } from "../../lib/base/text.ts";
import type { Repository } from "../world/repository.ts";
import type { World } from "../world/world.ts";
import {
  deployed,
  revisionOf,
  runs,
  says,
  standing,
  syncTo,
  test,
} from "./setting.ts";

const branch = "testing/demo";
const on = { "testing.enable": true };

/** Commits on what is checked out and pushes to the testing branch alone. */
async function tryOut(
  repository: Repository,
  message: string,
  change = {},
): Promise<string> {
  const revision = await repository.commit(message, change);
  await repository.push(branch, { force: true });
  return revision;
}

/** What runs, and what a reboot starts, as revisions. */
function both(world: World): (string | null)[] {
  const { running, bootDefault, bootEntry } = standing(world);
  return [running, bootDefault, bootEntry].map((one) =>
    revisionOf(world, one ?? null)
  );
}

test("a testing branch is tried out on top of main, and never booted", async (world) => {
  const { repository, revision: main } = await deployed(world, on);
  const tried = await tryOut(repository, "An idea");
  const run = await syncTo(world, 0);
  says(run.stdout, "Deployed as a test, until the next reboot", "An idea");
  assertEquals(both(world), [tried, main, main]);
  const { lastGood, testing } = world.state()!;
  assertEquals([lastGood?.revision, testing?.base], [main, main]);
  assertEquals(world.history().at(-1)?.result, "tested");
  // Nobody switched by hand, and it asks cheaply.
  const again = await syncTo(world, 0);
  says(
    again.text,
    `In sync: main is at ${short(main)}`,
    "runs as a test until the next reboot",
  );
  assert(!again.text.includes("by hand"), again.text);
  assert(world.read("/var/lib/gitops-sync/settled.json") !== null);
  says(
    (await syncTo(world, 0, "status")).stdout,
    "as a test until the next reboot",
    "in sync",
  );
  const calls = world.calls().length;

  // It may be pushed by force, also to an older commit.
  await repository.git("reset", "--quiet", "--hard", main);
  const other = await tryOut(repository, "Another idea");
  await syncTo(world, 0);
  assertEquals(both(world), [other, main, main]);
  assertEquals(world.calls().length, calls + 1);

  // What is merged is deployed, and then nothing is tried out any more.
  await repository.push("main");
  await syncTo(world, 0);
  runs(world, other);
  says(
    (await syncTo(world, 0)).stdout,
    `In sync: main is at ${short(other)}\n`,
  );
});

test("without its branch a host goes back to what it follows", async (world) => {
  const { repository, revision: main } = await deployed(world, on);
  await tryOut(repository, "An idea");
  await syncTo(world, 0);
  await repository.git("push", "--quiet", "origin", `:${branch}`);
  says((await syncTo(world, 0, "status")).stdout, "The next run returns to");
  const over = await syncTo(world, 0);
  says(over.stdout, "The test is over; the host is back at ");
  runs(world, main);
  assertEquals(world.history().at(-1)?.result, "test-over");
  const calls = world.calls().length;
  await syncTo(world, 0);
  assertEquals(world.calls().length, calls);
  // Turned off, it is the same.
  await tryOut(repository, "Another idea");
  await syncTo(world, 0);
  world.configure(repository, {});
  says((await syncTo(world, 0, "sync")).stdout, "In sync: ");
});

test("a branch beside main is not evaluated, and what ran of it goes", async (world) => {
  const { repository, revision: first } = await deployed(world, on);
  const idea = await tryOut(repository, "An idea");
  await syncTo(world, 0);
  await repository.git("reset", "--quiet", "--hard", first);
  const main = await repository.publish("Main goes on");
  await syncTo(world, 0);
  runs(world, main);
  const beside = await syncTo(world, 0);
  says(
    beside.text,
    "testing/demo is at ",
    "which does not descend from main at ",
    "In sync: main",
  );
  assertEquals(world.history().at(-1)?.reason, "testing-aside");
  const attempts = world.history().length;
  await syncTo(world, 0);
  assertEquals(world.history().length, attempts, "it is asked once");
  assertEquals(world.state()?.testing?.revision, idea);
  // A test that runs, whose branch is moved beside main.
  const second = await tryOut(repository, "On top of main");
  await syncTo(world, 0);
  assertEquals(both(world), [second, main, main]);
  await repository.git("reset", "--quiet", "--hard", first);
  await tryOut(repository, "Beside", { knobs: { greeting: "beside" } });
  await syncTo(world, 0);
  runs(world, main);
});

test("what main brings beneath a test is deployed, and the test again", async (world) => {
  const { repository } = await deployed(world, on);
  const middle = await repository.commit("Half of it");
  const top = await tryOut(repository, "All of it");
  await syncTo(world, 0);
  assertEquals(both(world)[0], top);
  await repository.git("push", "--quiet", "origin", `${middle}:main`);
  await syncTo(world, 0);
  runs(world, middle);
  await syncTo(world, 0);
  assertEquals(both(world), [top, middle, middle]);
});

test("a test that fails is held, and main goes on", async (world) => {
  const { repository, revision: first } = await deployed(world, on);
  await tryOut(repository, "A bad idea", { knobs: { exit: { test: 1 } } });
  says((await syncTo(world, 7)).stderr, "the previous system runs again");
  runs(world, first);
  says((await syncTo(world, 9)).stderr, "has been blocked since");
  await repository.git("reset", "--quiet", "--hard", first);
  const main = await repository.publish("Good", { knobs: { exit: undefined } });
  await syncTo(world, 0);
  runs(world, main);
  await syncTo(world, 0);
  says((await syncTo(world, 0)).stdout, "In sync: ");
});

test("it is asked together with a pattern of tags, or a commit", async (world) => {
  const semver = { ...on, ref: "semver:>=1.0" };
  const { repository, revision } = await deployed(world, { ref: "main" });
  await repository.git("push", "--quiet", "origin", "HEAD:refs/tags/v1.0.0");
  world.configure(repository, semver);
  await syncTo(world, 0);
  const tagged = await tryOut(repository, "On top of a tag");
  await syncTo(world, 0);
  assertEquals(both(world), [tagged, revision, revision]);
  world.configure(repository, { ...on, ref: revision });
  await syncTo(world, 0);
  const pinned = await tryOut(repository, "On top of a commit");
  await syncTo(world, 0);
  await syncTo(world, 0);
  assertEquals(both(world), [pinned, revision, revision]);
});

test("a rollback ends a test, and a person's word comes first", async (world) => {
  const { repository, revision: main } = await deployed(world, on);
  await tryOut(repository, "An idea");
  await syncTo(world, 0);
  says((await syncTo(world, 0, "rollback")).stdout, "Rolled back to ");
  runs(world, main);
  await tryOut(repository, "Another idea");
  says((await syncTo(world, 0)).stdout, "the host stays at ");
  await syncTo(world, 0, "resume");
  await syncTo(world, 0, "suspend");
  says((await syncTo(world, 0)).stdout, "Suspended ");
  await syncTo(world, 0, "resume");
  const waits = { ...on, approval: "manual" };
  world.configure(repository, waits);
  says((await syncTo(world, 0)).stdout, "it waits for approval");
  const third = world.state()!.waiting!.revision;
  await syncTo(world, 0, "approve", third);
  await syncTo(world, 0);
  assertEquals(both(world), [third, main, main]);
});
