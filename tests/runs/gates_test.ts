/** Gates between build and activation, in whole runs. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { short } from "../../lib/base/text.ts";
import type { State } from "../../lib/state/state.ts";
import type { World } from "../world/world.ts";
import {
  deployed,
  prepared,
  runs,
  says,
  standing,
  syncTo,
  test,
} from "./setting.ts";

const stateFile = "/var/lib/gitops-sync/state.json";
const settled = "/var/lib/gitops-sync/settled.json";

/** Changes the state, as a person with an editor does. */
function edit(world: World, change: (state: State) => Partial<State>) {
  const { checksum: _, sealedAt: __, ...state } = JSON.parse(
    world.read(stateFile)!,
  );
  world.write(stateFile, JSON.stringify({ ...state, ...change(state) }));
}

/** Lets all that was seen and done be this much earlier. */
function age(world: World, minutes: number) {
  const before = (at: string) =>
    new Date(Date.parse(at) - minutes * 60_000).toISOString();
  edit(world, ({ sightings = [], gated, lastGood }) => ({
    sightings: sightings.map(({ clock, since, ...one }) => ({
      ...one,
      since: before(since),
      ...clock
        ? { clock: { ...clock, uptime: clock.uptime - minutes * 60 } }
        : {},
    })),
    ...gated ? { gated: { ...gated, notBefore: before(gated.notBefore) } } : {},
    ...lastGood ? { lastGood: { ...lastGood, at: before(lastGood.at) } } : {},
  }));
}

/** A command that opens its gate while a file is there. */
const whileOpen = (world: World) => ["test", "-e", `${world.folder}/open`];

const open = (world: World) => world.write("/open", "");
const shut = (world: World) => Deno.removeSync(world.path("/open"));

/** What a run said is asked again at once. */
const ask = (world: World) =>
  edit(world, ({ gated }) => ({
    gated: { ...gated!, notBefore: gated!.at },
  }));

test("what is built waits for a gate, cheaply, and is deployed once it opens", async (world) => {
  const { repository, revision: first } = await deployed(world);
  world.configure(repository, { "gates.command": whileOpen(world) });
  const before = standing(world);
  const revision = await repository.publish("Second");
  const waits = await syncTo(world, 0);
  says(
    waits.stdout,
    `Built ${short(revision)} "Second" by Ada: it waits for the gate command`,
    "ended with code 1",
  );
  assertEquals(standing(world), before);
  assertEquals(world.history().at(-1)!.result, "gated");
  const asJson = JSON.parse((await syncTo(world, 0, "sync", "--json")).stdout);
  assertEquals(
    [asJson.result, asJson.state, asJson.gated.revision],
    ["gated", "waiting", revision],
  );
  says(
    (await syncTo(world, 13, "status", "--exit-code")).stdout,
    `${short(revision)} is built and waits for the gate command`,
    "gate     command: closed since",
    "--skip-gates",
  );
  const status = JSON.parse(
    (await syncTo(world, 0, "status", "--json")).stdout,
  );
  assertEquals(
    status.gated.gates.map(({ name, isOpen }: never) => [name, isOpen]),
    [
      ["command", false],
    ],
  );
  const plan = JSON.parse(
    (await syncTo(world, 0, "plan", "--json", "--no-build")).stdout,
  );
  assertEquals(plan.stops.map(({ what }: { what: string }) => what), [
    "gate-command",
  ]);
  // A gate that has been closed for long is asked more rarely.
  const long = new Date(Date.now() - 3_600_000).toISOString();
  edit(world, ({ gated }) => ({
    gated: {
      ...gated!,
      notBefore: gated!.at,
      gates: gated!.gates.map((gate) => ({ ...gate, since: long })),
    },
  }));
  await syncTo(world, 0);
  const { until } = JSON.parse(world.read(settled)!);
  const pause = until - Date.parse(world.state()!.gated!.at);
  assert(pause >= 360_000 && pause < 600_000, `${pause}`);
  open(world);
  // It is not asked before its time, but for a person.
  says((await syncTo(world, 0)).stdout, "it waits for the gate");
  runs(world, first);
  says((await syncTo(world, 0, "sync", "--now")).stdout, "Deployed ");
  runs(world, revision);
  assertEquals(world.state()!.gated, undefined);
  says((await syncTo(world, 0)).stdout, "In sync");
  assertEquals(world.history().map(({ result }) => result), [
    "deployed",
    "gated",
    "deployed",
  ]);
});

test("on a busy branch the newest revision that has soaked is deployed", async (world) => {
  const { repository, revision: first } = await deployed(world);
  world.configure(repository, { "gates.soak": "2h" });
  const second = await repository.publish("Second");
  says(
    (await syncTo(world, 0)).stdout,
    `Built ${short(second)} "Second" by Ada: it waits for the gate soak`,
  );
  await syncTo(world, 0);
  const { until } = JSON.parse(world.read(settled)!);
  const { since } = world.state()!.sightings!.at(-1)!;
  assertEquals(until, Date.parse(since) + 2 * 3_600_000);
  age(world, 60);
  const third = await repository.publish("Third");
  says((await syncTo(world, 0)).stdout, `Built ${short(third)}`);
  runs(world, first);
  age(world, 61);
  const fourth = await repository.publish("Fourth");
  says((await syncTo(world, 0)).stdout, `Deployed ${short(second)}`);
  runs(world, second);
  // What comes next is built ahead, and waits.
  says((await syncTo(world, 0)).stdout, `Built ${short(fourth)}`);
  assertMatch(
    (await syncTo(world, 0, "status")).stdout,
    /gate +soak: closed since .*known for \S+ of 2h/,
  );
  age(world, 60);
  says((await syncTo(world, 0)).stdout, `Deployed ${short(third)}`);
  // A person does not wait.
  says(
    (await syncTo(world, 0, "sync", "--now")).stdout,
    `Deployed ${short(fourth)}`,
  );
  runs(world, fourth);
  says((await syncTo(world, 0)).stdout, "In sync");
});

test("what a branch no longer has is not deployed, however long it has soaked", async (world) => {
  const { repository, revision: first } = await prepared(world, {
    "gates.soak": "2h",
  });
  // Also where nothing runs yet.
  says((await syncTo(world, 0)).stdout, `Built ${short(first)}`);
  assertEquals(world.running(), null);
  age(world, 121);
  says((await syncTo(world, 0)).stdout, `Deployed ${short(first)}`);
  const bad = await repository.publish("Bad");
  await syncTo(world, 0);
  age(world, 121);
  await repository.git("reset", "--quiet", "--hard", "HEAD^");
  const better = await repository.commit("Better");
  await repository.push("main", { force: true });
  const run = await syncTo(world, 0);
  says(run.text, `main no longer has ${short(bad)}`, `Built ${short(better)}`);
  runs(world, first);
  const seen = world.state()!.sightings!.map(({ revision }) => revision);
  assertEquals(seen, [first, better]);
  age(world, 121);
  says((await syncTo(world, 0)).stdout, `Deployed ${short(better)}`);
});

test("a clock that is set forward opens no gate", async (world) => {
  const { repository, revision: first } = await deployed(world);
  world.configure(repository, { "gates.soak": "2h" });
  await repository.publish("Second");
  await syncTo(world, 0);
  // As it looks where the clock of the day jumps by a year.
  edit(world, ({ sightings = [], gated }) => ({
    gated: { ...gated!, notBefore: gated!.at },
    sightings: sightings.map((one) => ({
      ...one,
      since: new Date(Date.parse(one.since) - 365 * 86_400_000).toISOString(),
    })),
  }));
  says((await syncTo(world, 0)).stdout, "it waits for the gate soak");
  runs(world, first);
});

test("an emergency word is recorded, told, and needs a reason", async (world) => {
  const { repository, revision: first } = await deployed(world);
  world.configure(repository, {
    "gates.command": whileOpen(world),
    "gates.soak": "2h",
  });
  const second = await repository.publish("Second");
  await syncTo(world, 0);
  says(
    (await syncTo(world, 2, "sync", "--skip-gates")).stderr,
    "expected a reason",
  );
  says(
    (await syncTo(world, 2, "sync", "--reason", "x")).stderr,
    "expected --skip-gates with it",
  );
  const env = { SUDO_USER: "ada" };
  const words = ["--skip-gates", "--reason", "the forge\nis down"];
  const skipped = await world.startSync(["sync", ...words], { env }).ended;
  assertEquals(skipped.code, 0, skipped.stderr);
  says(skipped.stderr, "ada skips the gates: the forge is down");
  runs(world, second);
  const { by, why, skippedGates, result } = world.history().at(-1)!;
  assertEquals([by, why, skippedGates, result], [
    "ada",
    "the forge is down",
    true,
    "deployed",
  ]);
  // A rollback passes the time, and nothing else.
  says(
    (await syncTo(world, 6, "rollback")).stderr,
    `Cannot roll back to ${short(first)}: command: `,
    "rollback --skip-gates --reason",
  );
  runs(world, second);
  await syncTo(world, 0, "rollback", ...words);
  runs(world, first);
  assertEquals(world.history().at(-1)!.skippedGates, true);
  open(world);
  await syncTo(world, 0, "resume");
  await syncTo(world, 0, "retry");
  await syncTo(world, 0, "sync", "--now");
  runs(world, second);
  await syncTo(world, 0, "rollback");
  runs(world, first);
});

test("approval, windows and a suspension come before gates", async (world) => {
  const { repository, revision: first, system: old } = await deployed(world);
  const gates = { "gates.command": whileOpen(world) };
  world.configure(repository, { ...gates, approval: "manual" });
  const second = await repository.publish("Second");
  says((await syncTo(world, 0)).stdout, "it waits for approval");
  await syncTo(world, 0, "approve", second);
  says((await syncTo(world, 0)).stdout, "it waits for the gate command");
  const closed = { "windows.deploy": ["deny Mon-Sun"] };
  world.configure(repository, { ...gates, approval: "manual", ...closed });
  open(world);
  says((await syncTo(world, 0)).stdout, "no window opens");
  await syncTo(world, 0, "suspend");
  says((await syncTo(world, 0)).stdout, "Suspended");
  await syncTo(world, 0, "resume");
  world.configure(repository, { ...gates, approval: "manual" });
  ask(world);
  runs(world, first);
  says((await syncTo(world, 0)).stdout, "Deployed");
  runs(world, second);
  // Whose word the deployment rests on.
  assertEquals(world.history().at(-1)!.by, "root");
  shut(world);
  // What somebody switched away from needs no gate, to come back.
  await repository.publish("Third");
  world.configure(repository, { ...gates, drift: "correct" });
  await syncTo(world, 0);
  const system = world.running()!;
  await world.output(["ln", "-sfn", old, "/run/current-system"]);
  says((await syncTo(world, 0)).stdout, "Corrected drift");
  assertEquals(world.running(), system);
});

test("the testing branch passes every gate but the time", async (world) => {
  const { repository, revision: first } = await deployed(world);
  world.configure(repository, {
    "gates.command": whileOpen(world),
    "gates.soak": "2h",
    "testing.enable": true,
  });
  await syncTo(world, 0);
  const idea = await repository.commit("An idea");
  await repository.push("testing/demo");
  says((await syncTo(world, 0)).stdout, "waits for the gate command");
  runs(world, first);
  open(world);
  ask(world);
  says((await syncTo(world, 0)).stdout, "Deployed as a test");
  assertEquals(world.state()!.testing!.deployment!.revision, idea);
});
