/**
 * Whole runs that need a slot, with a real etcd.
 */
import { assert, assertEquals } from "@std/assert";
import { exists } from "@std/fs";
import { deployed, prepared, runs, says, syncTo } from "../runs/setting.ts";
import { World } from "../world/world.ts";
import { freePorts } from "./etcd_server.ts";
import { names, test } from "./setting.ts";

/** The options of a host that asks this etcd. */
const lockedBy = ({ url }: { url: string }) => ({
  "lock.etcd.endpoints": [url],
});

const bad = { knobs: { exit: { test: 4 } } };
const good = { knobs: { exit: undefined } };

test(
  "a slot is taken for the switch and given back when it is over",
  async (world, member) => {
    const { repository } = await deployed(world, lockedBy(member));
    assertEquals(await names(member), []);
    assertEquals(world.state()?.slot, undefined);
    const stages = world.history().at(-1)?.["stages"] as { stage: string }[];
    const order = stages.map(({ stage }) => stage);
    assertEquals(order.slice(-4), ["slot", "activate", "health", "confirm"]);
    await syncTo(world, 0);
    assert(world.read("/var/lib/gitops-sync/settled.json"), "it may rest");
    says(
      (await world.sync("doctor")).stdout,
      "0 slots of 1 of the group default taken",
    );
    await member.kill();
    says((await world.sync("doctor")).stdout, "cannot take a slot");
    says((await syncTo(world, 0)).stdout, "In sync");
    await repository.publish("Another");
    says((await syncTo(world, 0)).text, "Not now: could not query the lock");
  },
);

test(
  "a host waits while others hold all slots, and each run asks again",
  async (world, member) => {
    const { repository, revision } = await deployed(world, lockedBy(member));
    await member.occupy("web-7");
    const next = await repository.publish("The second system");
    const first = await syncTo(world, 0);
    says(
      first.text,
      "Not now: no slot of the group default is free: web-7 for 0123456789ab since",
      "fleet unlock web-7",
    );
    runs(world, revision);
    const wait = world.state()?.slotWait;
    assertEquals([wait?.revision, wait?.reason], [next, "no-slot"]);
    assertEquals(world.state()?.slot, undefined);

    const attempts = world.history().length;
    const again = await syncTo(world, 0, "--json");
    const said = JSON.parse(again.stdout);
    assertEquals([said.result, said.state], ["queued", "waiting"]);
    assertEquals(said.wait.holders[0].id, "web-7");
    assertEquals(world.history().length, attempts, "nothing is built again");
    assertEquals(world.state()?.slotWait?.since, wait?.since);
    assertEquals(world.read("/var/lib/gitops-sync/settled.json"), null);

    const status = await syncTo(world, 13, "status", "--exit-code");
    says(
      status.stdout,
      "has waited for a slot since",
      "web-7 for 0123456789ab",
    );
    await syncTo(world, 0, "status", "--json");
    const plan = await syncTo(world, 0, "plan", "--no-build");
    says(
      plan.stdout,
      "it has waited for a slot since",
      "would change nothing now",
    );
    const locks = await syncTo(world, 0, "fleet", "locks");
    says(locks.stdout, "1 of 1 slot of the group default are taken", "web-7");
    await syncTo(world, 0, "fleet", "locks", "--json");

    await syncTo(world, 2, "fleet", "unlock", "web-7");
    const freed = await syncTo(
      world,
      0,
      ...["fleet", "unlock", "web-7", "--reason", "it is gone", "--json"],
    );
    assertEquals(JSON.parse(freed.stdout).result, "unlocked");
    assertEquals(world.history().at(-1)?.["why"], "it is gone");
    await syncTo(world, 0, "history");
    await syncTo(world, 0, "history", "--json");
    await syncTo(world, 0);
    runs(world, next);
    assertEquals(world.state()?.slotWait, undefined);
    assertEquals(await names(member), []);
  },
);

test(
  "a host that is not well keeps its slot until it is, and so stops the others",
  async (world, member) => {
    const { repository, revision } = await deployed(world, lockedBy(member));
    const ill = await repository.publish("Bad", bad);
    await syncTo(world, 7);
    runs(world, revision);
    const [slot] = await member.slots();
    assertEquals([slot?.key, slot?.lease], ["default/demo", "0"]);
    await syncTo(world, 9);
    assertEquals(world.state()?.slot?.stuck, true);
    says(
      (await syncTo(world, 0, "status")).stdout,
      "The host was not healthy with",
    );
    says(
      (await syncTo(world, 0, "status", "--json")).stdout,
      '"isStuck": true',
    );

    // The next host never activates it.
    await using other = await World.make();
    other.configure(repository, { ...lockedBy(member), "lock.id": "other" });
    const waits = await syncTo(other, 0);
    says(waits.text, `demo for ${ill.slice(0, 12)}`);
    assertEquals(other.running(), null);

    // A person's way back needs no slot, and frees none.
    await member.kill();
    await repository.publish("Good", good);
    says((await syncTo(world, 0)).text, "could not query the lock server");
    runs(world, revision);
    await member.restart();
    await syncTo(world, 0);
    assertEquals(await names(member), []);
    assertEquals(world.state()?.slot, undefined);
    await syncTo(other, 0);
    assertEquals(await names(member), []);
  },
);

test(
  "a slot that stayed is given back where Git goes back",
  async (world, member) => {
    const { repository, revision } = await deployed(world, lockedBy(member));
    await repository.publish("Bad", bad);
    await syncTo(world, 7);
    await repository.git("reset", "--quiet", "--hard", revision);
    await repository.push("main", { force: true });
    says((await syncTo(world, 0)).stdout, "In sync");
    assertEquals(await names(member), []);
    await syncTo(world, 0);
    assert(world.read("/var/lib/gitops-sync/settled.json"), "it may rest");
  },
);

test(
  "a person frees the slot of a host that keeps it",
  async (world, member) => {
    const { repository } = await deployed(world, lockedBy(member));
    await repository.publish("Bad", bad);
    await syncTo(world, 7);
    await syncTo(world, 0, "fleet", "unlock", "demo", "--reason", "I know");
    assertEquals(await names(member), []);
    await syncTo(world, 9);
    const next = await repository.publish("Good", good);
    await member.occupy("web-7");
    says((await syncTo(world, 0)).text, "no slot of the group default is free");
    await member.free("web-7");
    await syncTo(world, 0);
    runs(world, next);
    assertEquals(await names(member), []);
  },
);

test("a rollback passes without a lock server", async (world, member) => {
  const { repository, revision } = await deployed(world, lockedBy(member));
  await repository.publish("The second system");
  await syncTo(world, 0);
  await member.kill();
  await syncTo(world, 0, "rollback", "--reason", "it is slow");
  runs(world, revision);
});

test(
  "a slot that can't be given back is, by a later run",
  async (world, member) => {
    const { repository } = await deployed(world, lockedBy(member));
    const next = await repository.publish("It ends etcd", {
      knobs: { activation: `kill -KILL ${member.pid}` },
    });
    const ended = await syncTo(world, 0);
    says(ended.stderr, "Cannot release the slot of the group default");
    runs(world, next);
    assertEquals(world.state()?.slot?.phase, "due");
    await member.kill();
    says((await syncTo(world, 0)).text, "the next run tries again", "In sync");
    assertEquals(world.read("/var/lib/gitops-sync/settled.json"), null);
    await member.restart();
    assertEquals(await names(member), ["default/demo"]);
    await syncTo(world, 0, "suspend");
    await syncTo(world, 0);
    assertEquals(await names(member), [], "a suspended host holds nobody up");
    assertEquals(world.state()?.slot, undefined);
  },
);

/** Lets runs wait in the hook before the activation, until a file is there. */
const waitsIn = (folder: string) => [[
  "sh",
  "-c",
  `touch ${folder}/begun; until [ -e ${folder}/go ]; do sleep 0.02; done`,
]];

async function until(path: string): Promise<void> {
  while (!await exists(path)) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test(
  "a host that dies before the activation begins loses its slot by itself",
  async (world, member) => {
    const { folder } = world;
    const { repository, revision } = await prepared(world, {
      ...lockedBy(member),
      "hooks.preDeploy": waitsIn(folder),
    });
    const run = world.startSync([]);
    await until(`${folder}/begun`);
    const [slot] = await member.slots();
    assert(slot!.lease !== "0", "it is under a lease");
    assertEquals(world.state()?.slot?.phase, "asked");
    run.kill();
    await run.ended;
    await Deno.writeTextFile(`${folder}/go`, "");
    await syncTo(world, 0);
    runs(world, revision);
    assertEquals(await names(member), []);

    // The lease ends while the hook goes on.
    await Deno.remove(`${folder}/go`);
    await Deno.remove(`${folder}/begun`);
    await repository.publish("The second system");
    const slow = world.startSync([]);
    await until(`${folder}/begun`);
    await member.free("demo");
    await member.occupy("web-7");
    await Deno.writeTextFile(`${folder}/go`, "");
    const ended = await slow.ended;
    assertEquals(ended.code, 0);
    says(ended.stderr, "was lost before the activation");
    runs(world, revision);
    assertEquals(await names(member), ["default/web-7"]);
    assertEquals(world.state()?.slot, undefined);
  },
);

test(
  "a run that is killed in the activation keeps its slot",
  async (world, member) => {
    const { folder } = world;
    const { repository, revision } = await deployed(world, lockedBy(member));
    const slow = `touch ${folder}/begun; sleep 0.3`;
    await repository.publish("Slow", { knobs: { activation: slow } });
    const run = world.startSync([]);
    await until(`${folder}/begun`);
    run.signal("SIGKILL");
    await run.ended;
    assertEquals(world.state()?.slot?.phase, "held");
    const [slot] = await member.slots();
    assertEquals(slot?.lease, "0");
    await syncTo(world, 0, "suspend");
    await syncTo(world, 0);
    runs(world, revision);
    assertEquals(world.state()?.slot?.stuck, true, "it was not well");
    await syncTo(world, 0, "resume");
    await syncTo(world, 0);
    assertEquals(await names(member), [], "and is now, with the same slot");
  },
);

test(
  "a group, a name and a server that change lose no slot",
  async (world, member) => {
    const { repository } = await deployed(world, lockedBy(member));
    await repository.publish("Bad", bad);
    await syncTo(world, 7);
    const group = {
      ...lockedBy(member),
      "lock.group": "web",
      "lock.id": "web-1",
    };
    world.configure(repository, group);
    await repository.publish("Worse", { knobs: { greeting: "again" } });
    await syncTo(world, 7);
    assertEquals(await names(member), ["web/web-1"]);
    const [port] = freePorts(1);
    world.configure(repository, {
      "lock.fleetlock.url": `http://127.0.0.1:${port}`,
    });
    await repository.publish("Good", good);
    const left = await syncTo(world, 0);
    says(left.stderr, "stays taken at", "fleet unlock web-1");
  },
);
