import { assert, assertEquals, assertMatch } from "@std/assert";
import { short } from "../../lib/base/text.ts";
import type { World } from "../world/world.ts";
import { deployed, prepared, says, syncTo, test } from "./setting.ts";
import { Terminal } from "./terminal.ts";

const folder = "/var/lib/gitops-sync";
const published = "/run/gitops-sync-status/status.json";

type Json = Record<string, unknown>;

/** The document of `status`, by default without asking the remote. */
async function status(
  world: World,
  code = 0,
  ...flags: string[]
): Promise<Json & { git: { checked: Json | null } }> {
  const args = ["status", "--json", ...flags];
  return JSON.parse((await syncTo(world, code, ...args)).stdout);
}

/** Sets the time of a file back, as if a day had passed since. */
function age(world: World, file: string): number {
  const long = Math.floor(Date.now() / 1000) - 3 * 3600;
  Deno.utimeSync(world.path(file), long, long);
  return long * 1000;
}

const timeOf = (world: World, file: string) =>
  Deno.statSync(world.path(file)).mtime!.getTime();

test("each run leaves when it asked, also one with nothing to do", async (world) => {
  const { revision } = await prepared(world);
  const before = await status(world, 0, "--offline");
  assertEquals([before.state, before.git.checked], ["unknown", null]);
  says((await syncTo(world, 0, "status")).stdout, "checked  never by a run");
  await syncTo(world, 0);
  const after = await status(world, 0, "--offline");
  assertEquals([after.state, after.agrees], ["in-sync", true]);
  assertEquals(after.git.checked?.answered, true);
  assertEquals(after.nextRun, { at: null, why: "systemd does not run here" });

  // A full run with nothing to do, and one that takes the shortcut.
  for (const what of ["full", "settled"]) {
    const files = [`${folder}/asked.json`, published];
    const long = files.map((file) => age(world, file));
    assertEquals(
      (await status(world, 0, "--offline")).git.checked?.at,
      at(long),
    );
    assertEquals(
      (await syncTo(world, 0)).stdout,
      `In sync: main is at ${short(revision)}\n`,
    );
    const times = files.map((file) => timeOf(world, file));
    assert(times.every((time, i) => time > long[i]!), `${what}: ${times}`);
  }
});

const at = ([ms]: number[]) =>
  new Date(ms!).toISOString().replace(".000Z", "Z");

test("a remote that is away is one line a spell", async (world) => {
  const { repository } = await deployed(world, { retries: 0 });
  const { bare } = repository;
  await Deno.rename(bare, `${bare}.away`);
  for (let i = 0; i < 3; i++) await syncTo(world, 3);
  const silent = await status(world, 0, "--offline");
  assertEquals([silent.state, silent.git.checked?.answered], [
    "unknown",
    false,
  ]);
  says(
    (await syncTo(world, 0, "status")).stdout,
    " (no answer), next run ",
  );
  const during = (await syncTo(world, 0, "history")).stdout;
  assertMatch(during, /^\S+ \S+ +- +\S+ until \S+, 3 tries /m);
  assertEquals(world.history().length, 1, "it goes on");

  // Another reason is another spell.
  await Deno.rename(`${bare}.away`, bare);
  world.configure(repository, { retries: 0, ref: "gone" });
  await syncTo(world, 3);
  assertEquals(world.history().length, 2);
  world.configure(repository, { retries: 0 });
  await syncTo(world, 0);
  const spells = world.history().slice(1);
  assertEquals(
    spells.map(({ result, reason, tries }) => [result, reason, tries]),
    [["unreached", spells[0]!.reason, 3], ["unreached", "ref-missing", 1]],
  );
  assertEquals(world.state()!.unreached, undefined);
  await syncTo(world, 0, "history", "--json");
  says((await syncTo(world, 0, "status")).stdout, "last     deployed ");
});

test("each state has its word, its exit code and its line", async (world) => {
  const { repository, revision } = await prepared(world);
  const check = async (code: number, state: string) => {
    const flags = ["--exit-code", "--offline"];
    assertEquals((await status(world, code, ...flags)).state, state);
    const { stdout } = await syncTo(
      world,
      code,
      "status",
      "--oneline",
      ...flags,
    );
    assertEquals(stdout.split(",")[0], `demo: ${state}`);
    assertEquals(stdout.split("\n").length, 2, stdout);
    assertEquals(JSON.parse(world.read(published)!).state, state);
  };
  await syncTo(world, 0, "suspend", "--reason", "a secret");
  await check(14, "suspended");
  assert(!world.read(published)!.includes("a secret"));
  await syncTo(world, 0, "resume");
  await check(3, "unknown");
  await syncTo(world, 0);
  await check(0, "in-sync");
  const bad = await repository.publish("Bad", { knobs: { build: "exit 1" } });
  assertEquals((await status(world, 12, "--exit-code")).state, "out-of-sync");
  await syncTo(world, 6);
  await check(9, "held");
  await syncTo(world, 0, "suspend");
  await check(14, "suspended");
  await syncTo(world, 0, "resume");
  await repository.publish("Fine weather", {
    knobs: { build: undefined },
  });
  world.configure(repository, { "windows.deploy": ["deny 00:00-24:00"] });
  await syncTo(world, 0);
  await check(13, "waiting");
  world.configure(repository);
  await syncTo(world, 0);
  const back = await syncTo(world, 0, "rollback", "--json");
  assertEquals(JSON.parse(back.stdout).state, "rolled-back");
  await check(15, "rolled-back");

  // Nothing that a private repository holds.
  const text = world.read(published)!;
  for (const word of ["Fine", "The first", "Ada", repository.bare, "Cannot"]) {
    assert(!text.includes(word), `${word} is published: ${text}`);
  }
  assertEquals(JSON.parse(text).lastGood.revision, revision);
  assert(bad !== revision);
});

/** What is told to people who are not root. */
async function told(world: World): Promise<Json> {
  const module = import.meta.resolve("../../lib/report/published.ts");
  const config = new URL("../../deno.json", import.meta.url).pathname;
  return JSON.parse(
    await world.output([
      ...[Deno.execPath(), "eval", `--config=${config}`],
      `import { readPublished } from "${module}";
       console.log(JSON.stringify(await readPublished()));`,
    ]),
  );
}

test("a run that was killed does not deploy for ever, for others too", async (world) => {
  const { repository } = await deployed(world);
  await repository.publish("Slow", { knobs: { build: "sleep 30" } });
  const run = world.startSync([]);
  const fileOf = () => JSON.parse(world.read(published)!);
  while (fileOf().stage !== "build") {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const during = await told(world);
  assertEquals([during.state, during.stage], ["deploying", "build"]);
  run.kill();
  await run.ended;
  assertEquals(fileOf().state, "deploying");
  const after = await told(world);
  assertEquals([after.state, after.stage], ["out-of-sync", "build"]);
  // A person's word publishes the same.
  await syncTo(world, 0, "suspend");
  assertEquals([fileOf().state, fileOf().stage], ["out-of-sync", "build"]);
  await syncTo(world, 0, "resume");
  await repository.publish("Good", { knobs: { build: undefined } });
  await syncTo(world, 0);
  const { state, stage } = await told(world);
  assertEquals([state, stage], ["in-sync", null]);
});

test("status waits until the tip is deployed or has failed", async (world) => {
  const { repository } = await deployed(world);
  await repository.publish("Good");
  const late = await syncTo(world, 12, "status", "--wait=1s");
  says(late.stderr, "warning: The deployment has not ended after 1.0s");
  const waiting = world.startSync(["status", "--wait", "--json"]);
  await syncTo(world, 0);
  const { code, stdout } = await waiting.ended;
  assertEquals([code, JSON.parse(stdout).state], [0, "in-sync"]);

  await repository.publish("Bad", { knobs: { build: "exit 1" } });
  const failing = world.startSync(["status", "--wait=1h"]);
  await syncTo(world, 6);
  assertEquals((await failing.ended).code, 9);
  await repository.publish("Never deployed", { knobs: { build: undefined } });
  const given = world.startSync(["status", "--wait"]);
  await new Promise((resolve) => setTimeout(resolve, 3000));
  given.signal("SIGINT");
  assertEquals((await given.ended).code, 130);
});

test("status goes on showing itself until a person ends it", async (world) => {
  const { repository } = await deployed(world);
  await using terminal = await Terminal.open(world, {
    columns: 80,
    shell: ["sh"],
  });
  // In colour, whatever the tests themselves are run with.
  const line =
    "PS1='> '; clear; NO_COLOR= gitops-sync status --watch; echo code $?";
  await terminal.keys(line, "Enter");
  await terminal.shows(/in sync with main[^]*press q to quit/);
  await repository.publish(
    "A commit whose subject is longer than a line of it",
    // Longer than the time between two looks.
    { knobs: { build: "sleep 5" } },
  );
  const run = world.startSync([]);
  await terminal.shows(/deploying/);
  await run.ended;
  await terminal.shows(/in sync with main/);
  await terminal.keys("q");
  await terminal.shows(/in sync with main[^]*code 0/);
  await terminal.keys(line, "Enter");
  await terminal.shows(/press q to quit/);
  await terminal.keys("C-c");
  await terminal.shows(/code 130/);
});

test("without a repository status fails as the next run does", async (world) => {
  await syncTo(world, 2, "status");
  await syncTo(world, 2, "sync");
  await syncTo(world, 0, "history");
});
