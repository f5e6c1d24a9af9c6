/** Revisions that wait for a person's word. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { short } from "../../lib/base/text.ts";
import type { Waiting } from "../../lib/state/state.ts";
import type { World } from "../world/world.ts";
import { deployed, runs, says, standing, syncTo, test } from "./setting.ts";

const stateFile = "/var/lib/gitops-sync/state.json";
const settled = "/var/lib/gitops-sync/settled.json";

/** Changes what waits, as a person with an editor does. */
function edit(world: World, change: (waiting: Waiting) => Partial<Waiting>) {
  const { checksum: _, sealedAt: __, ...state } = JSON.parse(
    world.read(stateFile)!,
  );
  const waiting = { ...state.waiting, ...change(state.waiting) };
  world.write(stateFile, JSON.stringify({ ...state, waiting }));
}

test("what is built waits for a person's word, and is deployed once", async (world) => {
  const { repository } = await deployed(world);
  world.configure(repository, { approval: "manual" });
  const before = standing(world);
  const revision = await repository.publish("Second");
  const waits = await syncTo(world, 0);
  says(
    waits.stdout,
    `Built ${short(revision)} "Second" by Ada: it waits for approval`,
    `gitops-sync approve ${short(revision)}`,
  );
  assertEquals(standing(world), before);
  const { system } = world.state()!.waiting!;
  // Neither is it built again, nor collected, and it asks cheaply.
  await syncTo(world, 0);
  const again = await syncTo(world, 0);
  says(again.stdout, "it waits for approval");
  assertEquals(world.history().map(({ result }) => result), [
    "deployed",
    "waiting",
  ]);
  assert(world.read(settled) !== null);
  // Only a person's word brings it further.
  const waited = await syncTo(world, 13, "status", "--wait=1m");
  assertEquals(waited.stderr, "");
  const asJson = JSON.parse((await syncTo(world, 0, "sync", "--json")).stdout);
  assertEquals(
    [asJson.result, asJson.waiting.revision, asJson.until, asJson.exit],
    ["waiting", revision, null, 0],
  );
  await world.output(["rm", "/var/lib/gitops-sync/build/result"]);
  await world.output(["nix-collect-garbage"]);
  assert(world.read(`${system}/nixos-version`) !== null, "it is kept");
  says(
    (await syncTo(world, 0, "status")).stdout,
    "is built and waits for approval",
  );
  for (const wrong of ["abc", "main", "f".repeat(40)]) {
    says(
      (await syncTo(world, 2, "approve", wrong)).stderr,
      "This commit waits: ",
    );
  }
  const env = { SUDO_USER: "ada" };
  const argv = ["approve", revision.slice(0, 8)];
  const approved = await world.startSync(argv, { env }).ended;
  assertEquals(approved.code, 0, approved.stderr);
  says(approved.stdout, `ada approved ${short(revision)} "Second"`);
  assertEquals(standing(world), before);
  await syncTo(world, 0);
  runs(world, revision);
  assertEquals(world.state()!.waiting, undefined);
  assertEquals(
    world.history().map(({ result, by }) => [result, by]).slice(2),
    [["approved", "ada"], ["deployed", "ada"]],
  );
  says((await syncTo(world, 2, "approve", revision)).stderr, "does not wait");
  says((await syncTo(world, 0)).stdout, "In sync: ");
});

test("a newer commit takes the place of what waits, approved or not", async (world) => {
  const { repository, revision: first } = await deployed(world);
  world.configure(repository, { approval: "manual" });
  const second = await repository.publish("Second");
  await syncTo(world, 0);
  await syncTo(world, 0, "approve", second);
  const third = await repository.publish("Third");
  says((await syncTo(world, 0)).stdout, `Built ${short(third)}`);
  runs(world, first);
  await syncTo(world, 2, "approve", second);
  // The approval is for one target, too.
  await syncTo(world, 0, "approve", third);
  world.configure(repository, { approval: "manual", operation: "boot" });
  says((await syncTo(world, 0)).stdout, "it waits for approval");
  assertEquals(world.bootDefault(), world.running());
  world.configure(repository, { approval: "none" });
  await syncTo(world, 0);
  runs(world, third);
  assertEquals(world.state()!.waiting, undefined, "nothing waits behind it");
});

test("what a person rejects is held, and says by whom and why", async (world) => {
  const { repository, revision: first } = await deployed(world);
  world.configure(repository, { approval: "manual" });
  says((await syncTo(world, 2, "reject", "abcdef12")).stderr, "does not wait");
  const second = await repository.publish("Second");
  await syncTo(world, 0);
  const argv = ["reject", second, "--reason", "not\non Friday", "--json"];
  const rejected = JSON.parse((await syncTo(world, 0, ...argv)).stdout);
  assertEquals(
    [rejected.result, rejected.by, rejected.reason],
    ["rejected", "root", "not on Friday"],
  );
  says(
    (await syncTo(world, 9)).stderr,
    `${short(second)} has been blocked since`,
    "root rejected it: not on Friday",
  );
  says((await syncTo(world, 2, "approve", second)).stderr, "it is blocked");
  runs(world, first);
  assertEquals(world.history().at(-1)?.result, "rejected");
  // It may come again, and waits again.
  says((await syncTo(world, 0, "retry")).stdout, "it waits for approval");
  await syncTo(world, 0, "approve", second);
  await syncTo(world, 0);
  runs(world, second);
});

test("what waits for a time is deployed when that is over, whatever the clock", async (world) => {
  const { repository, revision: first } = await deployed(world);
  world.configure(repository, { approval: "30m" });
  const second = await repository.publish("Second");
  says((await syncTo(world, 0)).stdout, "It is deployed at ");
  await syncTo(world, 0);
  const { until } = JSON.parse(world.read(settled)!);
  const { since, clock } = world.state()!.waiting!;
  assertEquals(until, Date.parse(since) + 30 * 60_000);
  // The clock was set forward by a year: the machine's own one says otherwise.
  const year = new Date(Date.parse(since) - 365 * 86_400_000).toISOString();
  edit(world, () => ({ since: year }));
  // Nobody who only looks is told that the wait is over.
  const seen = await syncTo(world, 0, "status", "--json");
  assertEquals(JSON.parse(seen.stdout).state, "waiting");
  says((await syncTo(world, 0, "plan")).stdout, "waits for approval");
  assertEquals(world.state()!.waiting!.since, year, "it changes nothing");
  says((await syncTo(world, 0)).stdout, "it waits for approval");
  runs(world, first);
  const apart = Date.parse(world.state()!.waiting!.since) - Date.parse(since);
  assert(Math.abs(apart) < 60_000, `${apart}`);
  // A reboot later it was ahead: the wait begins again, and does not last on.
  const ahead = new Date(Date.now() + 365 * 86_400_000).toISOString();
  edit(world, () => ({
    since: ahead,
    clock: { boot: "another", uptime: 1 },
  }));
  says((await syncTo(world, 0)).stdout, "it waits for approval");
  assert(Date.parse(world.state()!.waiting!.since) < Date.now() + 1000);
  assertMatch(clock!.boot, /^[0-9a-f-]{36}$/);
  // The time is over, also for the run that asks cheaply.
  await syncTo(world, 0);
  const said = JSON.parse(world.read(settled)!);
  world.write(settled, JSON.stringify({ ...said, until: Date.now() - 1 }));
  says((await syncTo(world, 0)).stdout, "it waits for approval");
  const over = 31 * 60;
  edit(world, ({ clock }) => ({
    since: new Date(Date.now() - over * 1000).toISOString(),
    clock: { ...clock!, uptime: clock!.uptime - over },
  }));
  says((await syncTo(world, 0)).stdout, "Deployed ");
  runs(world, second);
});

test("what waits is built outside of a window, and deployed inside of one", async (world) => {
  const { repository, revision: first } = await deployed(world);
  const shut = { "windows.deploy": ["deny Mon-Sun"] };
  world.configure(repository, { approval: "manual", ...shut });
  const second = await repository.publish("Second");
  says((await syncTo(world, 0)).stdout, "it waits for approval");
  await syncTo(world, 0, "approve", second);
  says((await syncTo(world, 0)).stdout, "no window opens");
  runs(world, first);
  says((await syncTo(world, 0, "sync", "--now")).stdout, "Deployed ");
  runs(world, second);
});
