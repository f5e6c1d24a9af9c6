/**
 * Whole runs with gates and a slot of the fleet, with a real etcd.
 */
import { assertEquals } from "@std/assert";
import { deployed, runs, says, syncTo } from "../runs/setting.ts";
import type { World } from "../world/world.ts";
import type { State } from "../../lib/state/state.ts";
import type { EtcdMember } from "./etcd_server.ts";
import { names, test } from "./setting.ts";

const open = (world: World) => world.write("/open", "");
const shut = (world: World) => Deno.removeSync(world.path("/open"));

/** A host with one gate, which is open while a file is there, and one lock. */
const both = (world: World, { url }: EtcdMember) => ({
  "gates.command": ["test", "-e", `${world.folder}/open`],
  "lock.etcd.endpoints": [url],
  "gates.tellAfter": "1ms",
  "notify.webhook.url": "http://127.0.0.1:9",
  "notify.by": "unit",
});

/** What was told to begin, and not to be over. */
const told = (world: World) =>
  Object.keys(
    JSON.parse(world.read("/var/lib/gitops-sync/notify/told.json")!).open,
  ).map((key) => key.split(" ")[0]);

test(
  "what gates let through waits for a slot, cheaply, until a gate closes",
  async (world, member) => {
    open(world);
    const { repository, revision } = await deployed(world, both(world, member));
    shut(world);
    await member.occupy("web-7");
    const next = await repository.publish("The second system");
    says((await syncTo(world, 0)).stdout, "it waits for the gate command");
    assertEquals(world.state()?.slotWait, undefined, "no slot is asked for");
    assertEquals(told(world), ["gates"]);

    open(world);
    says(
      (await syncTo(world, 0, "sync", "--now")).text,
      "no slot of the group",
    );
    assertEquals(world.state()?.gated, undefined, "no gate is closed");
    const wait = world.state()?.slotWait;
    assertEquals(wait?.revision, next);
    const attempts = world.history().length;
    for (let i = 0; i < 2; i++) {
      says((await syncTo(world, 0)).stdout, "has waited for a slot since");
    }
    assertEquals(world.history().length, attempts, "nothing is built again");
    assertEquals(world.state()?.slotWait?.since, wait?.since);
    assertEquals(told(world), ["slot-wanted"]);
    const status = await syncTo(world, 13, "status", "--exit-code");
    says(status.stdout, "has waited for a slot since");
    assertEquals(status.stdout.includes("gate "), false, status.stdout);
    const plan = JSON.parse(
      (await syncTo(world, 0, "plan", "--json", "--no-build")).stdout,
    );
    assertEquals(plan.stops.map(({ what }: { what: string }) => what), [
      "no-slot",
    ]);

    // The gates are asked again once there is a slot, and nobody waits then.
    shut(world);
    await member.free("web-7");
    says((await syncTo(world, 0)).stdout, "it waits for the gate command");
    runs(world, revision);
    assertEquals(await names(member), []);
    await syncTo(world, 0);
    assertEquals(world.state()?.slotWait, undefined);
    open(world);
    says((await syncTo(world, 0, "sync", "--now")).stdout, "Deployed ");
    runs(world, next);
    assertEquals(await names(member), []);
  },
);

/** Lets what was seen be this much older, as time does. */
function age(world: World, minutes: number) {
  const file = "/var/lib/gitops-sync/state.json";
  const { checksum: _, sealedAt: __, ...state } = JSON.parse(world.read(file)!);
  const before = (at: string) =>
    new Date(Date.parse(at) - minutes * 60_000).toISOString();
  const { sightings, lastGood } = state as State;
  world.write(
    file,
    JSON.stringify({
      ...state,
      lastGood: { ...lastGood, at: before(lastGood!.at) },
      sightings: sightings!.map(({ clock: _, since, ...one }) => ({
        ...one,
        since: before(since),
      })),
    }),
  );
}

test(
  "an older revision that has soaked waits for a slot as the newest does",
  async (world, member) => {
    const options = {
      "lock.etcd.endpoints": [member.url],
      "gates.soak": "2h",
    };
    const { repository, revision } = await deployed(world, {
      "lock.etcd.endpoints": [member.url],
    });
    world.configure(repository, options);
    const second = await repository.publish("Second");
    says((await syncTo(world, 0)).stdout, "waits for the gate soak");
    age(world, 60);
    const third = await repository.publish("Third");
    says((await syncTo(world, 0)).stdout, "waits for the gate soak");
    age(world, 61);
    await member.occupy("web-7");
    says((await syncTo(world, 0)).text, "no slot of the group");
    assertEquals(world.state()?.slotWait?.revision, second);
    const attempts = world.history().length;
    const json = JSON.parse((await syncTo(world, 0, "sync", "--json")).stdout);
    assertEquals([json.result, json.revision], ["queued", second]);
    assertEquals(world.history().length, attempts);
    // A person's word passes gates, and no slot.
    says(
      (await syncTo(world, 0, "sync", "--now")).text,
      "no slot of the group",
    );
    assertEquals(world.state()?.slotWait?.revision, third);
    const skip = ["--skip-gates", "--reason", "it burns"];
    const skipped = await syncTo(world, 0, "sync", ...skip);
    says(
      skipped.text,
      "has waited for a slot since",
      "applies only to this run",
    );
    runs(world, revision);
    await member.free("web-7");
    says((await syncTo(world, 0)).stdout, "Deployed ");
    runs(world, second);
  },
);
