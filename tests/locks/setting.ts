/**
 * What the tests of whole runs with slots share.
 *
 * @module
 */
import { test as worldTest } from "../runs/setting.ts";
import type { World } from "../world/world.ts";
import { EtcdMember, hasEtcd } from "./etcd_server.ts";

/** A test with a world and a real etcd. */
export function test(
  name: string,
  body: (world: World, member: EtcdMember) => Promise<void>,
): void {
  if (!hasEtcd) return Deno.test({ name, ignore: true, fn() {} });
  worldTest(name, async (world) => {
    await using member = await EtcdMember.start();
    await body(world, member);
  });
}

/** The hosts that have a key there, in the order of their coming. */
export async function names(member: EtcdMember): Promise<string[]> {
  return (await member.slots()).map(({ key }) => key);
}
