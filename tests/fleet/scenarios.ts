/**
 * What a rollout is put through, and what it must keep to.
 *
 * @module
 */
import type { Event } from "./order.ts";
import type { Simulated } from "./simulated.ts";
import type { Condition } from "./wire.ts";

/** A verdict, and what it is about. */
export type Must = (isTrue: boolean, what: string) => void;

/** Something that is tried. All hosts are healthy before it and after it. */
export interface Scenario {
  name: string;
  run: (fleet: Simulated, must: Must) => Promise<void>;
  /** Whether the quick form leaves it out. */
  isLong?: true;
}

/** Everything that is tried, in its order. */
export function scenariosFor(rings: readonly number[]): Scenario[] {
  return [
    { name: "a good revision reaches all", run: good },
    ...rings.map((_, ring) => ({
      name: `a revision that is bad in ring ${ring} stops there`,
      run: (fleet: Simulated, must: Must) => bad(fleet, must, ring),
      ...ring === 1 ? {} : { isLong: true as const },
    })),
    { name: "two promotions in a row end at the second", run: twice },
    {
      name: "etcd is killed in the midst",
      run: (fleet, must) =>
        disturbed(fleet, must, {
          name: "Killed",
          begin: () => fleet.etcd.kill(),
          end: () => fleet.etcd.restart(),
          blind: rings.map((_, ring) => ring),
        }),
    },
    {
      isLong: true,
      name: "etcd is frozen in the midst",
      run: (fleet, must) =>
        disturbed(fleet, must, {
          name: "Frozen",
          begin: () => fleet.etcd.freeze(),
          end: async () => {
            fleet.etcd.thaw();
            await fleet.etcd.ready();
          },
          blind: rings.map((_, ring) => ring),
        }),
    },
    {
      isLong: true,
      name: "the last ring is cut off from etcd",
      run: (fleet, must) => wired(fleet, must, { kind: "cut" }),
    },
    {
      name: "the last ring does not hear what etcd answers",
      run: (fleet, must) => wired(fleet, must, { kind: "deaf" }),
    },
    { name: "etcd is slow", run: slow, isLong: true },
    {
      name: "hosts die with a slot, before the activation",
      run: dieBefore,
    },
    { name: "hosts die with a slot, within the activation", run: dieWithin },
  ];
}

async function good(fleet: Simulated, must: Must): Promise<void> {
  const revision = await fleet.promote("Good");
  await fleet.settle(revision);
  await reachedAll(fleet, must, revision);
  const told = fleet.forge.statuses(revision)
    .filter(({ status }) => status === "success").length;
  must(told === fleet.hosts.length, `the forge has ${told} successes`);
}

/** All run it, and no slot is left, also none of a request that came late. */
async function reachedAll(
  fleet: Simulated,
  must: Must,
  revision: string,
): Promise<void> {
  const there = fleet.running(revision).length;
  must(there === fleet.hosts.length, `${there} hosts run it, all must`);
  let left = await fleet.etcd.slots();
  const end = Date.now() + 120_000;
  while (left.some(({ lease }) => lease !== "0") && Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    left = await fleet.etcd.slots();
  }
  must(
    left.length === 0,
    `${left.length} slots are left, none may${
      left.map(({ key, value }) => `\n      ${key} ${value}`).join("")
    }`,
  );
}

async function bad(
  fleet: Simulated,
  must: Must,
  ring: number,
): Promise<void> {
  const { rings, slots } = fleet.plan;
  const before = fleet.promoted;
  const revision = await fleet.promote(`Bad in ring ${ring}`, [ring]);
  await fleet.settle(revision, fleet.hosts, 2);
  const seen = fleet.activated(revision);
  const inRing = (at: number) => seen.filter((host) => host.ring === at).length;
  const most = Math.min(slots, rings[ring]!);
  must(
    inRing(ring) > 0 && inRing(ring) <= most,
    `${
      inRing(ring)
    } hosts of ring ${ring} have activated it, at most ${most} may`,
  );
  const later = seen.filter((host) => host.ring > ring).length;
  must(later === 0, `${later} hosts of later rings have activated it`);
  const earlier = fleet.running(revision).length;
  const expected = rings.slice(0, ring).reduce((sum, many) => sum + many, 0);
  must(earlier === expected, `${earlier} hosts run it, ${expected} must`);
  const back = fleet.running(before).length;
  must(
    back === fleet.hosts.length - expected,
    `${back} hosts run what they ran before`,
  );
  const kept = (await fleet.slots(ring)).filter(({ lease }) => lease === "0");
  must(kept.length === inRing(ring), `${kept.length} of them keep their slot`);
  const fix = await fleet.promote(`Fix of ring ${ring}`);
  await fleet.settle(fix);
  await reachedAll(fleet, must, fix);
}

async function twice(fleet: Simulated, must: Must): Promise<void> {
  const first = await fleet.promote("First of two");
  await untilRing(fleet, first, 1, () => {});
  const second = await fleet.promote("Second of two");
  await fleet.settle(second);
  await reachedAll(fleet, must, second);
}

/** Lets hosts run, and does something once a ring has begun. */
async function untilRing(
  fleet: Simulated,
  revision: string,
  ring: number,
  then: () => void | Promise<void>,
): Promise<void> {
  let isDone = false;
  const hasBegun = () =>
    fleet.activated(revision).some((host) => host.ring >= ring);
  for (let round = 1; !isDone && round <= 60; round++) {
    let isOver = false;
    const ticking = fleet.tick().then(() => isOver = true);
    while (!isOver) {
      if (!isDone && hasBegun()) {
        isDone = true;
        await then();
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await ticking;
    await fleet.scraped();
  }
}

/** What is done to etcd, or to the way there. */
interface Disturbance {
  name: string;
  begin: () => void | Promise<void>;
  end: () => void | Promise<void>;
  /** The rings that no lock can be had by meanwhile. */
  blind: readonly number[];
}

/** A rollout in whose midst etcd can't be had, and then it can again. */
async function disturbed(
  fleet: Simulated,
  must: Must,
  { name, begin, end, blind }: Disturbance,
): Promise<void> {
  const { slots } = fleet.plan;
  const revision = await fleet.promote(name);
  let from = Infinity;
  await untilRing(fleet, revision, blind[0] === 0 ? 1 : blind[0]!, async () => {
    await begin();
    from = Date.now();
  });
  await fleet.tick();
  const there = fleet.running(revision).length;
  must(
    from < Infinity && there < fleet.hosts.length,
    `${there} hosts ran it in the midst of that, not all`,
  );
  const waiting =
    fleet.hosts.filter(({ world }) =>
      world.state()?.slotWait?.reason === "lock-unreachable"
    ).length;
  must(waiting > 0, `${waiting} hosts waited for the lock server`);
  const began = (ring: number) =>
    begunSince(fleet.events(), revision, from)
      .filter((event) => event.ring === ring).length;
  for (const ring of blind) {
    // What was about to begin begins, and nothing after that.
    must(
      began(ring) <= slots,
      `${
        began(ring)
      } hosts of ring ${ring} began afterwards, at most ${slots} may`,
    );
  }
  await end();
  await fleet.settle(revision);
  await reachedAll(fleet, must, revision);
}

function begunSince(events: readonly Event[], revision: string, from: number) {
  return events.filter((event) =>
    event.kind === "begin" && event.revision === revision && event.at >= from
  );
}

/** The wire of the last ring alone is bad. */
async function wired(
  fleet: Simulated,
  must: Must,
  condition: Condition,
): Promise<void> {
  const wire = fleet.wires[fleet.last]!;
  await disturbed(fleet, must, {
    name: condition.kind,
    begin: () => void (wire.condition = condition),
    end: () => void (wire.condition = { kind: "whole" }),
    blind: [fleet.last],
  });
}

async function slow(fleet: Simulated, must: Must): Promise<void> {
  const ms = fleet.plan.isQuick ? 200 : 800;
  for (const wire of fleet.wires) wire.condition = { kind: "slow", ms };
  const revision = await fleet.promote("Slow");
  await fleet.settle(revision);
  for (const wire of fleet.wires) wire.condition = { kind: "whole" };
  await reachedAll(fleet, must, revision);
}

/** All that is before the last ring is done, and its first hosts are dead. */
async function deadIn(
  fleet: Simulated,
  must: Must,
  when: "before" | "within",
): Promise<string> {
  const revision = await fleet.promote(`Hosts die ${when}`);
  const earlier = fleet.hosts.filter(({ ring }) => ring < fleet.last);
  await fleet.settle(revision, earlier);
  await fleet.scraped();
  await Promise.all(fleet.victims.map((host) => fleet.die(host, when)));
  const held = await fleet.slots(fleet.last);
  must(
    held.length === fleet.victims.length,
    `${held.length} dead hosts hold a slot`,
  );
  const leased = held.filter(({ lease }) => lease !== "0").length;
  const expected = when === "before" ? held.length : 0;
  must(leased === expected, `${leased} of these slots are under a lease`);
  return revision;
}

async function dieBefore(fleet: Simulated, must: Must): Promise<void> {
  const revision = await deadIn(fleet, must, "before");
  await fleet.endLeases(fleet.last);
  const held = await fleet.slots(fleet.last);
  must(held.length === 0, `${held.length} slots are taken after the lease`);
  await reachedOthers(fleet, must, revision);
}

async function dieWithin(fleet: Simulated, must: Must): Promise<void> {
  const revision = await deadIn(fleet, must, "within");
  const others = fleet.hosts.filter(({ ring, isDead }) =>
    ring === fleet.last && !isDead
  );
  await fleet.endLeases(fleet.last);
  await fleet.tick(others);
  const begun = new Set(fleet.activated(revision));
  const among = others.filter((host) => begun.has(host)).length;
  must(among === 0, `${among} others have activated it, none may`);
  const held = await fleet.slots(fleet.last);
  must(
    held.length === fleet.victims.length,
    `${held.length} dead hosts hold their slot still`,
  );
  for (const host of fleet.victims) await fleet.unlock(host);
  const after = await fleet.slots(fleet.last);
  must(after.length === 0, `${after.length} slots are taken after unlock`);
  await reachedOthers(fleet, must, revision);
}

/** The others go on without the dead, which follow once they live again. */
async function reachedOthers(
  fleet: Simulated,
  must: Must,
  revision: string,
): Promise<void> {
  await fleet.settle(revision);
  const there = fleet.running(revision).filter(({ isDead }) => !isDead).length;
  const living = fleet.hosts.filter(({ isDead }) => !isDead).length;
  must(there === living, `${there} living hosts run it, ${living} must`);
  for (const host of fleet.victims) fleet.revive(host);
  await fleet.settle(revision, fleet.victims);
  await reachedAll(fleet, must, revision);
}
