/**
 * What a host can do with a user of etcd that has the roles of
 * docs/security.md, and no more.
 */
import { assert, assertEquals } from "@std/assert";
import { EtcdServer } from "../../lib/locks/etcd.ts";
import { encoded, EtcdApi } from "../../lib/locks/etcd_api.ts";
import { LockError } from "../../lib/locks/server.ts";
import { EtcdMember, hasEtcd } from "./etcd_server.ts";

const revision = "0123456789abcdef0123456789abcdef01234567";
const since = "2026-11-27T03:00:00.000Z";
const prefix = "/gitops-sync";

/** Users `root`, `web-1` and `web-2`, each with its name as password. */
async function withRoles(member: EtcdMember): Promise<void> {
  const grant = (name: string, permType: string, key: string, end?: string) =>
    member.call("auth/role/grant", {
      name,
      perm: {
        permType,
        key: encoded(key),
        ...end ? { range_end: encoded(end) } : {},
      },
    });
  for (const name of ["root", "web-1", "web-2"]) {
    await member.call("auth/user/add", { name, password: name });
    await member.call("auth/role/add", { name });
    await member.call("auth/user/grant", { user: name, role: name });
    if (name === "root") continue;
    const slots = `${prefix}/slots/default`;
    await grant(name, "READWRITE", `${slots}/${name}`);
    await grant(name, "READ", `${slots}/`, `${slots}0`);
    await grant(name, "READ", `${prefix}/unlocked/default/${name}`);
  }
  await member.call("auth/enable", {});
}

Deno.test({
  name: "etcd: a host with the documented roles has its own slot, and no other",
  ignore: !hasEtcd,
  fn: async () => {
    await using member = await EtcdMember.start();
    await withRoles(member);
    using client = member.client();
    const host = (id: string, name = id, password = name) => {
      const user = { name, password };
      const api = new EtcdApi({ endpoints: [member.url], client, user });
      const own = { server: member.url, prefix, group: "default", id };
      const server = new EtcdServer(api, { ...own, slots: 1 });
      return { server, slot: server.fresh({ use: "switch", since, revision }) };
    };
    const isRefused = async (asked: Promise<unknown>) => {
      const error = await asked.catch((error) => error);
      assert(error instanceof LockError, String(error));
      assert(error.hints.some((hint) => hint.includes("roles")), error.message);
    };
    const one = host("web-1"), two = host("web-2");
    assertEquals((await one.server.take(one.slot)).result, "mine");
    await one.server.renew();
    assertEquals(await one.server.keep(one.slot), true);
    assertEquals((await two.server.look(two.slot)).result, "full");

    const wish = { by: "web-2", at: since };
    await isRefused(two.server.unlock("web-1", wish));
    const thief = { ...host("web-1", "web-2"), slot: one.slot };
    await isRefused(thief.server.giveBack(thief.slot));
    await isRefused(thief.server.keep(thief.slot));
    await isRefused(host("web-3", "web-2").server.take(one.slot));
    await isRefused(host("web-1", "web-1", "wrong").server.look(one.slot));
    await isRefused(host("web-1", "nobody").server.look(one.slot));
    const open = new EtcdApi({ endpoints: [member.url], client });
    await isRefused(open.call("kv/range", { key: encoded(prefix) }));
    assertEquals((await one.server.look(one.slot)).result, "mine");

    // A member that was restarted knows no token.
    await member.kill();
    await member.restart();
    assertEquals((await one.server.look(one.slot)).result, "mine");
    const admin = host("admin", "root");
    assertEquals(
      (await admin.server.unlock("web-1", { by: "ada", at: since }))?.id,
      "web-1",
    );
    const given = await one.server.giveBack(one.slot);
    assertEquals(given, { result: "gone", by: "ada" });
  },
});
