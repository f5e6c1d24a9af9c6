import { assert, assertEquals, assertMatch } from "@std/assert";
import type { World } from "../world/world.ts";
import { deployed, runs, says, syncTo, test } from "./setting.ts";
import { Terminal } from "./terminal.ts";

const pause = () => new Promise((resolve) => setTimeout(resolve, 30));

/** A build that waits until the file `go` is there. */
const slow = (world: World, name: string) => ({
  knobs: {
    dependencies: {
      [name]:
        `echo it began; until [ -e ${world.folder}/go ]; do sleep 0.05; done; echo it ends`,
    },
  },
});

async function until(what: () => boolean): Promise<void> {
  for (let tries = 0; !what(); tries++) {
    if (tries > 2000) throw new Error("it never comes to be");
    await pause();
  }
}

const isBuilding = (world: World) => () =>
  world.state()?.attempt?.stage === "build";

function letGo(world: World): void {
  Deno.writeTextFileSync(`${world.folder}/go`, "");
}

test("watch shows the run under way and its end, and leaves it alone", async (world) => {
  const { repository } = await deployed(world);
  const idle = await syncTo(world, 0, "watch");
  says(idle.stdout, "No run is in progress", "The last attempt: deployed");

  const revision = await repository.publish("Slow", slow(world, "linux-6.12"));
  const run = world.startSync(["sync"]);
  await until(isBuilding(world));
  await using terminal = await Terminal.open(world, {
    columns: 60,
    shell: ["sh"],
  });
  await terminal.keys(
    "PS1='> '; clear; gitops-sync watch; echo code $?",
    "Enter",
  );
  const screen = await terminal.shows(/^ +• linux-6\.12 .*\n +│ it began$/m);
  says(screen, "✓ fetch", '"Slow" by Ada', "build     0 of 2 built");
  // Who goes away does not end the run.
  await terminal.keys("C-c");
  says(await terminal.shows(/^code \d+$/m), "code 130");
  await terminal.keys("clear; gitops-sync watch; echo code $?", "Enter");
  const inPipe = world.startSync(["watch"]);
  await terminal.shows(/^ +│ it began$/m);
  letGo(world);
  const after = await terminal.shows(/^code \d+$/m);
  says(after, "✓ confirm", "code 0", "The run ended: deployed");
  assert(!/│/.test(after), after);
  assertEquals((await run.ended).code, 0);
  runs(world, revision);
  const { code, stdout, stderr } = await inPipe.ended;
  assertEquals(code, 0, stderr);
  says(stdout, `The run ended: deployed: ${revision.slice(0, 12)} "Slow"`);
  says(stderr, "verify: moves forward", "confirm: a reboot starts it too");

  // One that fails: with its evidence and its exit code.
  await repository.publish("Bad", { knobs: { build: "echo why; exit 1" } });
  const waiting = world.startSync(["watch", "--wait"]);
  const asJson = world.startSync(["watch", "--wait", "--json"]);
  // Both have to be there before it begins.
  await new Promise((resolve) => setTimeout(resolve, 3000));
  await syncTo(world, 6);
  const failed = await waiting.ended;
  assertEquals(failed.code, 6, failed.stderr);
  says(failed.stderr, "build: failed", "error: Cannot build", "    why");
  says(failed.stdout, "The run ended: failed");
  const json = await asJson.ended;
  assertEquals([json.code, JSON.parse(json.stdout).result], [6, "failed"]);
});

test("what a switch writes is there while it goes on", async (world) => {
  const { repository } = await deployed(world);
  const go = `${world.folder}/go`;
  await repository.publish("Slow switch", {
    knobs: {
      activation:
        `echo the first words >&2; until [ -e ${go} ]; do sleep 0.05; done`,
    },
  });
  const run = world.startSync(["sync"]);
  await until(() => world.state()?.attempt?.stage === "activate");
  const { id } = world.state()!.attempt!;
  const log = `/var/lib/gitops-sync/attempts/${id}/head.jsonl`;
  await until(() => /the first words/.test(world.read(log) ?? ""));
  await using terminal = await Terminal.open(world, {
    columns: 80,
    shell: ["sh"],
  });
  await terminal.keys("PS1='> '; clear; gitops-sync watch", "Enter");
  await terminal.shows(/activate +the first words/);
  letGo(world);
  assertEquals((await run.ended).code, 0);
  await terminal.shows(/The run ended: deployed/);
  const { stdout } = await syncTo(world, 0, "logs");
  assertEquals(stdout.split("the first words").length, 2, stdout);
});

test("the log of a run that was killed goes on with what the next one does", async (world) => {
  const { repository } = await deployed(world);
  const bad = await repository.publish("Slow", slow(world, "slow"));
  const run = world.startSync(["sync"]);
  await until(isBuilding(world));
  const id = world.state()!.attempt!.id;
  const log = `/var/lib/gitops-sync/attempts/${id}/head.jsonl`;
  await until(() => /it began/.test(world.read(log) ?? ""));
  const watching = world.startSync(["watch"]);
  const following = world.startSync(["logs", "-f"]);
  await new Promise((resolve) => setTimeout(resolve, 3000));
  run.kill();
  await run.ended;
  const { code, stdout } = await watching.ended;
  assertEquals(code, 130);
  says(stdout, "The run was interrupted");
  const followed = await following.ended;
  assertEquals(followed.code, 0, followed.stderr);
  says(followed.stdout, "build| slow> it began");

  letGo(world);
  await syncTo(world, 0);
  // By a number back, an id or a revision; the last attempt counts.
  const first = (await syncTo(world, 0, "logs", "-2")).stdout;
  assertMatch(
    first,
    /it began[^]*attempt .*[^]*was interrupted at the build stage/,
  );
  assertMatch(first, /interrupted \(exit code 6\)\n$/);
  assertEquals((await syncTo(world, 0, "logs", id)).stdout, first);
  const last = (await syncTo(world, 0, "logs", bad.slice(0, 7))).stdout;
  says(last, "activate| activating", "deployed: ");
  assertEquals((await syncTo(world, 0, "logs")).stdout, last);

  const shown = (await syncTo(world, 0, "history", "show", "-2")).stdout;
  says(shown, `attempt   ${id}`, "The run was interrupted", "it began");
  const ids = (await syncTo(world, 0, "history", "--ids")).stdout.split("\n");
  assertEquals([ids[1], ids.length], [id, 4]);
  const { attempt, log: lines } = JSON.parse(
    (await syncTo(world, 0, "history", "show", "--json")).stdout,
  );
  assertEquals([attempt.revision, attempt.result], [bad, "deployed"]);
  assertEquals(lines.at(-1).kind, "end");
  assertMatch(lines[0].at, /T\d\d:\d\d:\d\dZ$/);

  // An attempt of an older program has no log.
  await world.output(["rm", "-r", `/var/lib/gitops-sync/attempts/${id}`]);
  says((await syncTo(world, 2, "logs", id)).stderr, "it was removed");
  const rest = await syncTo(world, 0, "history", "show", id);
  says(rest.stdout, "The run was interrupted", "Its log was removed");
  for (const word of ["nope", "-40", "ab", "\x1b[2J"]) {
    const { code, stderr } = await world.sync("logs", "--", word);
    assertEquals(code, 2, stderr);
    says(stderr, "Cannot find the attempt", "The last one is ");
  }
});

test("a person's word is no run, and has no log", async (world) => {
  const { repository } = await deployed(world);
  world.configure(repository, { approval: "manual" });
  const revision = await repository.publish("Second");
  await syncTo(world, 0);
  const log = (await syncTo(world, 0, "logs")).stdout;
  says(log, "waits for approval");
  const watching = world.startSync(["watch", "--wait"]);
  // Both must be told apart by their seconds, and the watch has to be there.
  await new Promise((resolve) => setTimeout(resolve, 3000));
  const words = Math.floor(Date.now() / 1000) * 1000;
  // Each takes the lock of runs for a moment.
  for (const word of ["doctor", "approve", "reject"]) {
    await world.sync(word, ...word === "doctor" ? [] : [revision]);
    const { stdout } = await syncTo(world, 0, "watch", "--json");
    assert(Date.parse(JSON.parse(stdout).last) < words, word);
  }
  assertEquals((await syncTo(world, 0, "logs")).stdout, log);
  const named = await syncTo(world, 0, "logs", revision.slice(0, 7));
  assertEquals(named.stdout, log);
  // Who asks for that very word is told that it has none.
  const { id } = world.history().at(-1)!;
  const ofWord = await syncTo(world, 2, "logs", String(id));
  says(ofWord.stderr, "Cannot show the log of");
  assertEquals((await syncTo(world, 0, "logs", "-1")).stdout, log);
  await repository.publish("Third");
  await syncTo(world, 0);
  const { code, stdout } = await watching.ended;
  assertEquals(code, 0);
  says(stdout, "The run ended: waiting");
});
