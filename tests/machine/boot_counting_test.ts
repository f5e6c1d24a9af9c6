import { assertEquals, assertStringIncludes } from "@std/assert";
import { makeRepository } from "../world/repository.ts";
import type { Settings } from "../world/host.ts";
import { installBless } from "./bless.ts";
import { Machine } from "./machine.ts";

const refusal = await Machine.refusal();
if (refusal) console.log(`boot counting is not tested here: ${refusal}`);

/** A machine whose bootloader counts, booted into its first system. */
async function counting(settings: Settings = {}) {
  const machine = await Machine.boot();
  await installBless(machine);
  machine.write("/boot/loader/tries", "3\n");
  const repository = await makeRepository(`${machine.shared}/infra`);
  machine.configure(repository, { "timeouts.health": "5s", ...settings });
  const web = { command: "exec sleep 600", type: "simple" } as const;
  await repository.publish("First", {
    knobs: { kernel: "1", services: { web } },
  });
  await sync(machine, 0);
  assertEquals(await entries(machine), ["nixos-generation-1+3.conf"]);
  await reboot(machine);
  assertEquals(await entries(machine), ["nixos-generation-1+2-1.conf"]);
  return { machine, repository };
}

async function sync(machine: Machine, code: number, ...args: string[]) {
  const ended = await machine.sync(...args);
  assertEquals(ended.code, code, ended.stdout + ended.stderr);
  return ended.stdout + ended.stderr;
}

async function reboot(machine: Machine) {
  await machine.shutDown();
  await machine.bootAgain();
}

async function entries(machine: Machine): Promise<string[]> {
  return (await machine.output(["ls", "/boot/loader/entries"])).split("\n");
}

function test(name: string, fn: () => Promise<void>) {
  Deno.test({ name, ignore: refusal !== null, fn });
}

test("a boot is blessed once the host is well, and by whomever it was made", async () => {
  const made = await counting();
  await using machine = made.machine;
  let said = await sync(machine, 0);
  assertStringIncludes(said, "Marked this boot as good");
  assertEquals(await entries(machine), ["nixos-generation-1.conf"]);
  said = await sync(machine, 0);
  assertEquals(said.includes("bootloader"), false);

  // A kernel that comes up, with a service that does not.
  const { repository } = made;
  const first = machine.running();
  const bad = await repository.publish("Kernel 2", {
    knobs: {
      kernel: "2",
      services: { web: "test ! -e /run/booted" },
      activation: "touch /run/deployed",
    },
  });
  await sync(machine, 0);
  await machine.shutDown();
  await machine.bootAgain();
  machine.write("/run/booted", "");
  await machine.run(["systemctl", "restart", "web"]);
  said = await sync(machine, 7);
  assertStringIncludes(said, "Marked this boot as bad");
  assertEquals(machine.running(), first);
  assertEquals(
    machine.state()?.holds.map(({ revision }) => revision),
    [bad],
  );
  assertEquals(machine.bootEntry(), first);
  assertEquals(
    (await entries(machine)).includes("nixos-generation-2+0-1.conf"),
    true,
    (await entries(machine)).join(),
  );
});

test("a suspended host is blessed too, and not while it is not well", async () => {
  const made = await counting();
  await using machine = made.machine;
  await machine.output(["systemctl", "kill", "--signal=SEGV", "web"]);
  await sync(machine, 0, "suspend");
  let said = await sync(machine, 0);
  assertStringIncludes(said, "This boot is not marked as good");
  assertEquals(await entries(machine), ["nixos-generation-1+2-1.conf"]);
  await machine.output(["systemctl", "start", "web"]);
  said = await sync(machine, 0);
  assertStringIncludes(said, "Marked this boot as good");
  assertEquals(await entries(machine), ["nixos-generation-1.conf"]);
});

test("a revision that never came up is found, held and told", async () => {
  const made = await counting();
  await using machine = made.machine;
  await sync(machine, 0);
  const first = machine.running()!;
  const bad = await made.repository.publish("Kernel 2", {
    knobs: { kernel: "2" },
  });
  await sync(machine, 0);
  const second = machine.running()!;
  assertEquals(machine.bootEntry(), second);
  await machine.shutDown();
  // The loader tries the new one three times, and no kernel comes up.
  for (const folder of ["upper", "root"]) {
    const path = `${machine.folder}/${folder}/boot/loader/entries`;
    const name = `${path}/nixos-generation-2`;
    await Deno.rename(`${name}+3.conf`, `${name}+0-3.conf`).catch(() => {});
  }
  await machine.bootAgain();
  assertEquals(machine.running(), first);
  assertEquals(machine.bootDefault(), second);

  const said = await sync(machine, 7);
  const words = `${bad.slice(0, 12)}: it did not come up in 3 boots, and the ` +
    `bootloader chose another system: ${first}`;
  assertStringIncludes(said, words);
  assertEquals(machine.bootDefault(), first);
  assertEquals(machine.bootEntry(), first);
  assertEquals(machine.state()?.lastGood?.subject, "First");
  const status = await sync(machine, 0, "status");
  assertStringIncludes(status, "did not come up in 3 boots");
  assertStringIncludes(await sync(machine, 9), "has been blocked since");
  await made.repository.publish("Kernel 3", { knobs: { kernel: "3" } });
  await sync(machine, 0);
});
