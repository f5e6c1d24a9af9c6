/**
 * Slots of a FleetLock server, which is a stand-in (fleetlock_server.ts).
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { FleetLockServer } from "../../lib/locks/fleetlock.ts";
import { LockError } from "../../lib/locks/server.ts";
import type { Slot } from "../../lib/state/slot.ts";
import { deployed, runs, says, syncTo, test } from "../runs/setting.ts";
import { FleetLock } from "./fleetlock_server.ts";

const revision = "0123456789abcdef0123456789abcdef01234567";
const since = "2026-11-27T03:00:00.000Z";

/** One host of a server. */
function hostOf({ url }: FleetLock, id: string, client: Deno.HttpClient) {
  const server = new FleetLockServer({ url, client, group: "default", id });
  const slot: Slot = server.fresh({ use: "switch", since, revision });
  return { server, slot };
}

const troubleOf = async (asked: Promise<unknown>): Promise<LockError> => {
  const error = await asked.catch((error) => error);
  assert(error instanceof LockError, String(error));
  return error;
};

Deno.test("fleetlock: a slot is had again and again, and given back", async () => {
  await using fleet = new FleetLock(1);
  using client = Deno.createHttpClient({});
  const one = hostOf(fleet, "one", client), two = hostOf(fleet, "two", client);
  assertEquals(await one.server.take(one.slot), { result: "mine" });
  assertEquals(await one.server.take(one.slot), { result: "mine" });
  assertEquals(await one.server.keep(one.slot), true);
  assertEquals(await two.server.take(two.slot), {
    result: "full",
    why: "failed_lock: all slots are taken",
  });
  assertEquals(await two.server.keep(two.slot), false);
  assertEquals(await one.server.giveBack(one.slot), { result: "given" });
  assertEquals(await one.server.giveBack(one.slot), { result: "given" });
  assertEquals((await two.server.take(two.slot)).result, "mine");
  assertEquals(await one.server.unlock("two"), "untold");
  assertEquals(fleet.holders(), []);
  assertEquals(await one.server.holders(), undefined);
});

Deno.test("fleetlock: whatever is no yes is no slot", async () => {
  await using fleet = new FleetLock(1);
  using client = Deno.createHttpClient({});
  const { server, slot } = hostOf(fleet, "one", client);
  const table: [status: number, body: string, said: string][] = [
    [
      500,
      '{"kind":"internal","value":"etcd is away"}',
      "internal: etcd is away",
    ],
    [404, "<html>", "status 404"],
    [302, "", "status 302"],
    [400, '{"kind":["x"],"value":{}}', "status 400"],
    [503, `{"kind":"${"x".repeat(9000)}`, "status 503"],
    [403, '{"kind":"a\\u001b[31m","value":"b\\nc"}', "status 403"],
  ];
  for (const [status, body, said] of table) {
    fleet.mood = { status, body };
    const { message } = await troubleOf(server.take(slot));
    assertStringIncludes(message, said);
    assert(
      !/\p{Cc}/u.test(message),
      "nothing of it reaches a terminal",
    );
    await troubleOf(server.giveBack(slot));
  }
  // The answer is lost, and the slot is taken: it is had with the next request.
  fleet.mood = "loses-answers";
  await troubleOf(server.take(slot));
  assertEquals(fleet.holders(), ["one"]);
  fleet.mood = "kind";
  assertEquals((await server.take(slot)).result, "mine");
  fleet.mood = "silent";
  const { message } = await troubleOf(server.giveBack(slot));
  assertStringIncludes(message, "no answer in time");
});

test("fleetlock: a run takes a slot, waits for one, and gives it back later", async (world) => {
  await using fleet = new FleetLock(1);
  const { repository } = await deployed(world, {
    "lock.fleetlock.url": fleet.url,
  });
  assertEquals(fleet.requests, [
    "/v1/pre-reboot demo",
    // Once more, just before the activation: somebody may have freed it.
    "/v1/pre-reboot demo",
    "/v1/steady-state demo",
  ]);
  fleet.held.set("default", new Set(["web-7"]));
  const second = await repository.publish("The second system");
  says((await syncTo(world, 0)).text, "failed_lock: all slots are taken");
  const attempts = world.history().length;
  says((await syncTo(world, 0)).text, "has waited for a slot since");
  assertEquals(world.history().length, attempts, "nothing is built again");
  says(
    (await syncTo(world, 0, "fleet", "locks")).stdout,
    "does not report who holds slots",
  );
  await syncTo(world, 0, "fleet", "locks", "--json");
  await syncTo(world, 0, "fleet", "unlock", "web-7", "--reason", "gone");
  assertEquals(fleet.holders(), []);
  const ended = await syncTo(world, 0);
  runs(world, second);
  says(ended.stdout, "Deployed");
  assertEquals(fleet.holders(), []);

  // Answers are lost: nothing is activated, and the slot that may be there is
  // given back until the server says so.
  fleet.mood = "loses-answers";
  const third = await repository.publish("The third system");
  says((await syncTo(world, 0)).text, "could not query the lock server");
  runs(world, second);
  assertEquals(world.state()?.slot?.phase, "due");
  fleet.mood = { status: 500 };
  await syncTo(world, 0);
  assertEquals(world.state()?.slot?.phase, "due");
  fleet.mood = "kind";
  await syncTo(world, 0);
  runs(world, third);
  assertEquals(fleet.holders(), []);
  assertEquals(world.state()?.slot, undefined);

  // What is not well keeps it.
  await repository.publish("Bad", { knobs: { exit: { test: 4 } } });
  await syncTo(world, 7);
  assertEquals(fleet.holders(), ["demo"]);
  await syncTo(world, 9);
  assertEquals(fleet.holders(), ["demo"]);
});
