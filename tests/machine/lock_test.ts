/**
 * Reboots that need a slot of the fleet, with a real etcd in the machine.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { encoded } from "../../lib/locks/etcd_api.ts";
import { hasEtcd } from "../locks/etcd_server.ts";
import { output } from "../world/program.ts";
import { makeRepository } from "../world/repository.ts";
import { Machine } from "./machine.ts";

const refusal = await Machine.refusal();
if (refusal) console.log(`locks and reboots are not tested here: ${refusal}`);

const url = "http://127.0.0.1:2379", peer = "http://127.0.0.1:2380";

/** Starts etcd in the machine, with what it had, and waits until it answers. */
async function startEtcd(machine: Machine): Promise<void> {
  await machine.output([
    ...["systemd-run", "--unit=etcd", "--collect", "/srv/etcd"],
    ...["--data-dir", "/srv/etcd-data", "--log-level", "error"],
    ...["--listen-client-urls", url, "--advertise-client-urls", url],
    // Its own default is a name, and the machine has no resolver.
    ...["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer],
    ...["--initial-cluster", `default=${peer}`],
  ]);
  while ((await machine.sync("fleet", "locks")).code !== 0) {
    await machine.output(["systemctl", "is-active", "etcd"]);
  }
}

/** Gives the slot to another host, by a program in the machine's network. */
async function occupy(machine: Machine, id: string): Promise<void> {
  const body = JSON.stringify({
    key: encoded(`/gitops-sync/slots/default/${id}`),
    value: encoded(JSON.stringify({ token: id, isKept: true })),
  });
  await output([
    ...["nsenter", `--target=${machine.init}`, "--net"],
    ...[Deno.execPath(), "eval"],
    `await fetch("${url}/v3/kv/put", { method: "POST", body: '${body}' })`,
  ]);
}

async function holders(machine: Machine): Promise<Record<string, unknown>[]> {
  const { stdout } = await machine.sync("fleet", "locks", "--json");
  return JSON.parse(stdout).holders;
}

Deno.test({
  name:
    "a reboot of the tool waits for a slot, and holds it until the host is well",
  ignore: refusal !== null || !hasEtcd,
  fn: async () => {
    await using machine = await Machine.boot();
    const etcd = await output(["sh", "-c", "command -v etcd"]);
    await Deno.copyFile(etcd, `${machine.shared}/etcd`);
    const repository = await makeRepository(`${machine.shared}/infra`);
    const settings = {
      "timeouts.health": "5s",
      "lock.etcd.endpoints": [url],
      reboot: "when-needed",
      "windows.reboot": ["deny Mon-Sun"],
    };
    machine.configure(repository, settings);
    await startEtcd(machine);
    await repository.publish("First", { knobs: { kernel: "1" } });
    assertEquals((await machine.sync()).code, 0);
    await machine.shutDown();
    await machine.bootAgain();
    await startEtcd(machine);
    await repository.publish("Kernel 2", { knobs: { kernel: "2" } });
    assertEquals((await machine.sync()).code, 0);
    assertEquals(await holders(machine), [], "the window is closed");

    // Another host has the slot.
    machine.configure(repository, { ...settings, "windows.reboot": [] });
    await occupy(machine, "web-7");
    for (let run = 0; run < 2; run++) {
      const waits = await machine.sync();
      assertEquals(waits.code, 0);
      assertStringIncludes(waits.stderr, "No reboot yet. Not now: no slot");
    }
    assertEquals(machine.state()?.reboot, undefined);
    assertEquals(machine.state()?.slotWait?.use, "reboot");
    const { stdout: status } = await machine.sync("status");
    assertStringIncludes(status, "the reboot has waited for one since");

    // A revision that waits for a slot goes first: one wait at a time.
    await repository.publish("Third", { knobs: { kernel: "2" } });
    assertStringIncludes((await machine.sync()).stderr, "Not now: no slot");
    const wait = machine.state()?.slotWait;
    for (let run = 0; run < 2; run++) {
      const { stdout, stderr } = await machine.sync();
      assertStringIncludes(stdout, "has waited for a slot since");
      assertEquals(stderr.includes("No reboot yet"), false, stderr);
    }
    const { use, since } = machine.state()!.slotWait!;
    assertEquals([use, since], ["switch", wait?.since]);
    await machine.sync("fleet", "unlock", "web-7", "--reason", "it is gone");

    const going = await machine.sync();
    assert(going.code === 0 || going.code > 128, going.stderr);
    await machine.goesDown();
    await machine.bootAgain();
    assertEquals(
      await machine.output(["cat", "/run/booted-system/kernel"]),
      "2",
    );
    await startEtcd(machine);
    const [slot, ...others] = await holders(machine);
    assertEquals([slot?.["id"], slot?.["use"], others], ["demo", "reboot", []]);
    const after = await machine.sync();
    assertEquals(after.code, 0, after.stderr);
    assertEquals(machine.state()?.reboot?.result, "well");
    assertEquals(await holders(machine), []);
    assertEquals(machine.state()?.slot, undefined);
  },
});
