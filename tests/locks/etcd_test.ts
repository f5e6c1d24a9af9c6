/**
 * Slots in a real etcd.
 */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { EtcdServer } from "../../lib/locks/etcd.ts";
import { encoded, EtcdApi } from "../../lib/locks/etcd_api.ts";
import { LockError } from "../../lib/locks/server.ts";
import type { Slot } from "../../lib/state/slot.ts";
import { EtcdMember, freePorts, hasEtcd } from "./etcd_server.ts";

const revision = "0123456789abcdef0123456789abcdef01234567";
const since = "2026-11-27T03:00:00.000Z";

/** One host: its server, and a slot of it. */
interface Client {
  server: EtcdServer;
  slot: Slot;
}

function test(
  name: string,
  body: (
    member: EtcdMember,
    host: (id: string, slots?: number, group?: string) => Client,
  ) => Promise<void>,
  settings = {},
) {
  Deno.test({
    name: `etcd: ${name}`,
    ignore: !hasEtcd,
    fn: async () => {
      await using member = await EtcdMember.start(settings);
      using client = member.client();
      const host = (id: string, slots = 1, group = "default") => {
        const api = new EtcdApi({ endpoints: [member.url], client });
        const prefix = "/gitops-sync";
        const own = { server: member.url, prefix, group, id, slots };
        const server = new EtcdServer(api, own);
        const use = "switch" as const;
        return { server, slot: server.fresh({ use, since, revision }) };
      };
      await body(member, host);
    },
  });
}

const holders = async ({ server }: Client) =>
  (await server.holders()).map(({ id }) => id);

test(
  "no more hosts than slots hold one, whoever asks at the same time",
  async (_, host) => {
    const hosts = Array.from({ length: 20 }, (_, i) => host(`web-${i}`, 2));
    const taken = await Promise.all(
      hosts.map(({ server, slot }) => server.take(slot)),
    );
    const mine = hosts.filter((_, i) => taken[i]!.result === "mine");
    assert(mine.length >= 1 && mine.length <= 2, `${mine.length} hold one`);
    assertEquals(
      (await holders(hosts[0]!)).sort(),
      mine.map(({ slot }) => slot.id).sort(),
      "who got none leaves nothing behind",
    );
    for (const { server, slot } of mine) {
      assertEquals(await server.keep(slot), true);
      assertEquals(await server.giveBack(slot), { result: "given" });
    }
    assertEquals(await holders(hosts[0]!), []);
    const late = host("late", 2);
    assertEquals(await late.server.look(late.slot), { result: "mine" });
  },
);

test("who has none is told who holds them", async (_, host) => {
  const one = host("one"), two = host("two");
  assertEquals((await one.server.take(one.slot)).result, "mine");
  assertEquals(await one.server.keep(one.slot), true);
  const holder = { id: "one", since, revision, use: "switch", isKept: true };
  const full = { result: "full", holders: [holder] };
  assertEquals(await two.server.look(two.slot), full as never);
  assertEquals(await two.server.take(two.slot), full as never);
  assertEquals(await holders(two), ["one"]);
});

test("a slot is under a lease until it is kept", async (member, host) => {
  const one = host("one");
  await one.server.take(one.slot);
  const [taken] = await member.slots();
  assert(taken!.lease !== "0", "a host that dies now gives it back");
  await one.server.renew();
  assertEquals(await one.server.keep(one.slot), true);
  const [kept] = await member.slots();
  assertEquals(kept!.lease, "0");
  await member.call("lease/revoke", { ID: taken!.lease });
  assertEquals(await holders(one), ["one"], "the lease takes nothing with it");
});

test("a slot whose lease ended is not kept", async (member, host) => {
  const one = host("one"), two = host("two");
  await one.server.take(one.slot);
  const [taken] = await member.slots();
  await member.call("lease/revoke", { ID: taken!.lease });
  await one.server.renew();
  assertEquals(await one.server.keep(one.slot), false);
  assertEquals((await two.server.take(two.slot)).result, "mine");
  assertEquals(await one.server.keep(one.slot), false, "nor is it another's");
  assertEquals(await one.server.giveBack(one.slot), { result: "gone" });
  assertEquals(await holders(two), ["two"]);
});

test("an answer that was lost changes nothing", async (_, host) => {
  const one = host("one");
  assertEquals((await one.server.take(one.slot)).result, "mine");
  assertEquals((await one.server.take(one.slot)).result, "mine");
  assertEquals(await one.server.keep(one.slot), true);
  assertEquals(await one.server.keep(one.slot), true);
  assertEquals((await one.server.take(one.slot)).result, "mine");
  assertEquals(await one.server.giveBack(one.slot), { result: "given" });
  assertEquals(await one.server.giveBack(one.slot), { result: "gone" });
});

test(
  "another machine of the same name neither has nor frees the slot",
  async (_, host) => {
    const one = host("web"), twin = host("web", 2);
    await one.server.take(one.slot);
    await one.server.keep(one.slot);
    for (const ask of ["look", "take"] as const) {
      const found = await twin.server[ask](twin.slot);
      assertEquals(found.result, "other");
    }
    assertEquals(await twin.server.giveBack(twin.slot), { result: "gone" });
    assertEquals(await holders(one), ["web"]);
  },
);

test(
  "groups, and numbers that change, do not disturb each other",
  async (_, host) => {
    const one = host("one", 2),
      two = host("two", 2),
      other = host("x", 1, "db");
    for (const { server, slot } of [one, two, other]) {
      assertEquals((await server.take(slot)).result, "mine");
      assertEquals(await server.keep(slot), true);
    }
    assertEquals(await holders(one), ["one", "two"]);
    assertEquals(await holders(other), ["x"]);
    // One slot is left of two: who came first still has it.
    const first = { ...host("one", 1), slot: one.slot };
    assertEquals((await first.server.look(first.slot)).result, "mine");
    assertEquals((await first.server.take(first.slot)).result, "mine");
    const second = { ...host("two", 1), slot: two.slot };
    assertEquals((await second.server.look(second.slot)).result, "full");
    assertEquals((await second.server.take(second.slot)).result, "full");
    assertEquals(await holders(one), ["one", "two"], "it is not lost by that");
    // A group whose name begins with another's is another group.
    const longer = host("y", 1, "default2");
    assertEquals((await longer.server.look(longer.slot)).result, "mine");
  },
);

test("a person frees a slot, and its host is told by whom", async (_, host) => {
  const one = host("one"), admin = host("admin");
  await one.server.take(one.slot);
  await one.server.keep(one.slot);
  const wish = { by: "ada", at: since, reason: "its disk died" };
  assertEquals((await admin.server.unlock("one", wish))?.id, "one");
  assertEquals(await admin.server.unlock("one", wish), undefined);
  assertEquals(await one.server.keep(one.slot), false);
  assertEquals(await one.server.giveBack(one.slot), {
    result: "gone",
    by: "ada",
    reason: "its disk died",
  });
});

test(
  "what was kept is there after a kill and a compaction",
  async (member, host) => {
    const one = host("one");
    await one.server.take(one.slot);
    await one.server.keep(one.slot);
    await member.kill();
    const failed = await one.server.look(one.slot).catch((error) => error);
    assert(failed instanceof LockError, "no answer is no slot");
    await member.restart();
    const { header } = await member.call("kv/range", { key: encoded("x") });
    await member.call("kv/compaction", { revision: header.revision });
    assertEquals((await one.server.take(one.slot)).result, "mine");
    assertEquals(await one.server.keep(one.slot), true);
    assertEquals(await one.server.giveBack(one.slot), { result: "given" });
  },
);

test(
  "a lease outlives a restart, or ends; the slot is never two hosts'",
  async (member, host) => {
    const one = host("one"), two = host("two");
    await one.server.take(one.slot);
    await member.kill();
    await member.restart();
    const isKept = await one.server.keep(one.slot);
    const other = await two.server.take(two.slot);
    assertEquals(other.result, isKept ? "full" : "mine");
  },
);

test(
  "a member that is gone, or takes requests and never answers, is passed over",
  async (member, host) => {
    using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const [dead] = freePorts(1);
    using client = member.client();
    const at = (port: number) => `http://127.0.0.1:${port}`;
    const endpoints = [at(dead!), at(silent.addr.port), member.url];
    const api = new EtcdApi({ endpoints, client });
    const own = {
      prefix: "/gitops-sync",
      group: "default",
      id: "one",
      slots: 1,
    };
    const server = new EtcdServer(api, { ...own, server: "both" });
    const slot = server.fresh({ use: "switch", since, revision });
    assertEquals((await server.take(slot)).result, "mine");
    assertEquals(await server.keep(slot), true);
    const none = new EtcdApi({
      endpoints: [endpoints[0]!, endpoints[0]!],
      client,
    });
    const failed = await new EtcdServer(none, { ...own, server: "none" })
      .look(slot).catch((error) => error);
    assert(failed instanceof LockError);
    assertStringIncludes(failed.message, "none of the 2 etcd members");
    const one = host("one");
    assertEquals((await one.server.look(slot)).result, "mine");
  },
);

test(
  "what a frozen member does late leaves no slot behind",
  async (member, host) => {
    const one = host("one"), two = host("two");
    assertEquals((await one.server.take(one.slot)).result, "mine");
    await member.freeze();
    const failed = await one.server.keep(one.slot).catch((error) => error);
    assert(failed instanceof LockError, String(failed));
    assertStringIncludes(failed.message, "no answer in time");
    member.thaw();
    // It may be kept by now, or not: it is given back either way.
    assertEquals(await one.server.giveBack(one.slot), { result: "given" });
    assertEquals((await two.server.take(two.slot)).result, "mine");
    assertEquals(await two.server.keep(two.slot), true);
    assertEquals(await holders(two), ["two"]);
  },
);

test("mutual TLS", async (member, host) => {
  const one = host("one");
  assertEquals((await one.server.take(one.slot)).result, "mine");
  assertEquals(await one.server.keep(one.slot), true);
  using stranger = Deno.createHttpClient({
    caCerts: [Deno.readTextFileSync(member.certificates!.ca)],
  });
  const api = new EtcdApi({ endpoints: [member.url], client: stranger });
  const failed = await api.call("kv/range", { key: encoded("x") })
    .catch((error) => error);
  assert(failed instanceof LockError, "no certificate, no answer");
}, { tls: true });

Deno.test("etcd: without a lease nothing is written that nobody would remove", async () => {
  const asked: string[] = [];
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) => {
      asked.push(new URL(request.url).pathname);
      return Response.json({ header: {} });
    },
  );
  using client = Deno.createHttpClient({});
  const url = `http://127.0.0.1:${server.addr.port}`;
  const api = new EtcdApi({ endpoints: [url], client });
  const own = {
    server: url,
    prefix: "/gitops-sync",
    group: "default",
    id: "web",
    slots: 1,
  };
  const etcd = new EtcdServer(api, own);
  const slot = etcd.fresh({ use: "switch", since, revision });
  await assertRejects(() => etcd.take(slot), LockError, "no lease");
  assertEquals(asked, ["/v3/lease/grant"]);
});
