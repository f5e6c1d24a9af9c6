import { assert, assertEquals } from "@std/assert";
import { short } from "../../lib/base/text.ts";
import { deployed, runs, says, standing, syncTo, test } from "./setting.ts";

const file = "/var/lib/gitops-sync/state.json";
const journal = "/var/lib/gitops-sync/history.jsonl";

test("a state that can't be used stops every command and is left alone", async (world) => {
  const { repository } = await deployed(world);
  const good = world.read(file)!;
  const before = standing(world);
  await repository.publish("News");
  const broken: [string, string][] = [
    [
      good.replace('"version": 1', '"version": 2'),
      "it has version 2, and this program supports versions up to 1",
    ],
    [good.slice(0, 300), "Cannot read"],
    ["", "Cannot read"],
    ["\0".repeat(100), "Cannot read"],
    ["[]", "it has no version"],
    ["null", "it has no version"],
    ['"state"', "it has no version"],
    ['{"version":1}', "holds is not as expected"],
    ['{"version":0,"holds":[],"earlier":[]}', "version is not as expected"],
    ['{"version":1,"holds":[],"earlier":[],"attempt":{}}', "attempt is not"],
    ['{"version":1,"holds":[],"earlier":[],"lastGood":{}}', "lastGood is not"],
    ['{"version":1,"holds":[{}],"earlier":[]}', "holds is not"],
  ];
  const others = ["status", "rollback", "retry"];
  for (const [i, [text, why]] of broken.entries()) {
    world.write(file, text);
    // All of them for one, and then each in its turn.
    for (const command of ["sync", ...i === 0 ? others : [others[i % 3]!]]) {
      const { stderr } = await syncTo(world, 2, command);
      says(stderr, file, why, "hint: ");
    }
    assertEquals(world.read(file), text);
  }
  const { stdout } = await syncTo(world, 2, "sync", "--json");
  assertEquals(JSON.parse(stdout).error.reason, "state-unreadable");
  assertEquals(standing(world), before);
  // What the hint says: it is moved away, and the host finds itself again.
  await world.output(["mv", file, `${file}.bad`]);
  await syncTo(world, 0);
});

test("parts of the state with a shape from elsewhere are no bug", async (world) => {
  const { revision } = await deployed(world);
  const state = JSON.parse(world.read(file)!);
  const parts: Record<string, unknown> = {
    seen: 5,
    last: "text",
    backoff: { revision },
    cutOff: [],
    built: { revision: 4 },
    unknown: { of: "a newer program" },
  };
  const others = ["status", "history"];
  for (const [i, [name, part]] of Object.entries(parts).entries()) {
    world.write(file, JSON.stringify({ ...state, [name]: part }));
    for (const command of ["sync", others[i % 2]!]) {
      const { text } = await syncTo(world, 0, command);
      assert(!text.includes("bug"), `${name}: ${text}`);
    }
  }
  runs(world, revision);
});

test("a history with a torn line is read, and goes on", async (world) => {
  const { repository, revision } = await deployed(world);
  const line = world.read(journal)!;
  world.write(journal, line + line.slice(0, 80));
  const next = await repository.publish("News");
  await syncTo(world, 0);
  const { attempts } = JSON.parse(
    (await syncTo(world, 0, "history", "--json")).stdout,
  );
  assertEquals(attempts.map((one: { revision: string }) => one.revision), [
    revision,
    next,
  ]);
  world.write(journal, `nonsense\n\n{}\n[1]\nnull\n${line}\0\0\0\0`);
  const { stdout } = await syncTo(world, 0, "history");
  assertEquals(stdout.trimEnd().split("\n").length, 2);
  says(stdout, short(revision));
  Deno.removeSync(world.path(journal));
  says(
    (await syncTo(world, 0, "history")).stdout,
    "There is no attempt on this host yet",
  );
});

test("a host whose state was lost finds its way from what the branch names", async (world) => {
  const { repository } = await deployed(world);
  await world.output(["rm", "-r", "/var/lib/gitops-sync/repo", file]);
  const status = await syncTo(world, 0, "status");
  says(
    status.stdout,
    "which gitops-sync did not deploy",
    "nothing is deployed on this host yet",
  );
  const revision = await repository.publish("News");
  await syncTo(world, 0);
  runs(world, revision);
});

test("a mirror that a crash has damaged is made again", async (world) => {
  const { repository } = await deployed(world);
  const damages = [
    "find .git/objects -type f -delete",
    "find .git/objects -type f -exec truncate --size 0 {} +",
    ": >.git/HEAD",
    "rm .git/HEAD",
    "echo '[nonsense' >.git/config",
    "touch .git/shallow.lock .git/refs/gitops-sync/candidate.lock",
    "touch .git/HEAD.lock",
    ": >.git/shallow",
    ": >.git/refs/gitops-sync/candidate",
    "rm -r .git/refs",
  ];
  for (const damage of damages) {
    await world.output([
      "sh",
      "-euc",
      `cd /var/lib/gitops-sync/repo; ${damage}`,
    ]);
    const revision = await repository.publish(damage);
    await syncTo(world, 0);
    runs(world, revision);
  }
});

test("a clock that was far ahead does not stop a host for ever", async (world) => {
  const { repository } = await deployed(world);
  const { lastGood, ...state } = world.state()!;
  const at = "2038-01-01T00:00:00.000Z";
  world.write(
    "/var/lib/gitops-sync/state.json",
    JSON.stringify({ ...state, lastGood: { ...lastGood, at } }),
  );
  const revision = await repository.publish("News");
  says(
    (await syncTo(world, 3)).stderr,
    "which is in the past",
    "If the clock is right now, it was ahead before: run `gitops-sync retry`.",
  );
  await syncTo(world, 0, "retry");
  runs(world, revision);
});
