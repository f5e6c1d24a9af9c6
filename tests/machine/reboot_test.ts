import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { makeRepository } from "../world/repository.ts";
import type { Settings } from "../world/host.ts";
import { Machine } from "./machine.ts";

const refusal = await Machine.refusal();
if (refusal) console.log(`reboots are not tested here: ${refusal}`);

/** A machine that was booted into its first system, with kernel 1. */
async function booted(settings: Settings) {
  const machine = await Machine.boot();
  const repository = await makeRepository(`${machine.shared}/infra`);
  machine.configure(repository, { "timeouts.health": "5s" });
  await repository.publish("First", { knobs: { kernel: "1" } });
  await machine.sync();
  await machine.shutDown();
  await machine.bootAgain();
  machine.configure(repository, { "timeouts.health": "5s", ...settings });
  return { machine, repository };
}

async function sync(machine: Machine, code: number, ...args: string[]) {
  const ended = await machine.sync(...args);
  assertEquals(ended.code, code, ended.stdout + ended.stderr);
  return ended;
}

const kernel = (machine: Machine) =>
  machine.output(["cat", "/run/booted-system/kernel"]);

function test(name: string, fn: () => Promise<void>) {
  Deno.test({ name, ignore: refusal !== null, fn });
}

test("a host reboots in a window where its kernel is another, and only then", async () => {
  const made = await booted({
    reboot: "when-needed",
    "windows.reboot": ["deny Mon-Sun"],
  });
  await using machine = made.machine;
  const { repository } = made;
  await repository.publish("Greet", { knobs: { greeting: "hi" } });
  await sync(machine, 0);
  let status = await machine.sync("status");
  assertStringIncludes(status.stdout, "Nothing to do.");

  await repository.publish("Kernel 2", { knobs: { kernel: "2" } });
  await sync(machine, 0);
  status = await machine.sync("status");
  assertStringIncludes(
    status.stdout,
    "A reboot is needed (changed: kernel, initrd, kernel modules). No window",
  );
  // A run that is done with it would not look for the window again.
  await sync(machine, 0);
  assertEquals(machine.read("/var/lib/gitops-sync/settled.json"), null);
  assertEquals(machine.state()?.reboot, undefined);
  assertEquals(await kernel(machine), "1");

  // It may be gone before it has ended.
  const ended = await machine.sync("sync", "--now");
  assert(ended.code === 0 || ended.code > 128, ended.stderr);
  await machine.goesDown();
  await machine.bootAgain();
  assertEquals(await kernel(machine), "2");
  status = await machine.sync("status");
  assertStringIncludes(status.stdout, "The next run checks that the host");
  const after = await sync(machine, 0);
  assertStringIncludes(after.stderr, "health: came up on /nix/store/");
  assertEquals(machine.state()?.reboot?.result, "well");
  assertEquals(machine.state()?.attempt, undefined);
  status = await machine.sync("status");
  assertStringIncludes(status.stdout, "Nothing to do.");
});

test("a host that is not well after a reboot goes back, kernel and all", async () => {
  const made = await booted({ reboot: "when-needed" });
  await using machine = made.machine;
  const { repository } = made;
  const first = machine.running();
  // It works as long as the kernel is the old one.
  const web = 'test "$(cat /run/booted-system/kernel)" != 2 || ' +
    "{ echo no such device; exit 1; }";
  const bad = await repository.publish("Kernel 2", {
    knobs: { kernel: "2", services: { web } },
  });
  await machine.sync();
  await machine.goesDown();
  await machine.bootAgain();
  assertEquals(await kernel(machine), "2");
  assertEquals(await machine.failedUnits(), ["web.service"]);

  const ended = await sync(machine, 7);
  assertStringIncludes(
    ended.stderr,
    "After the reboot, the host is not healthy: 1 unit failed: web.service; the previous system runs again",
  );
  assertStringIncludes(ended.stderr, "  web.service: no such device\n");
  assertEquals(machine.running(), first);
  assertEquals(machine.bootDefault(), first);
  assertEquals(machine.bootEntry(), first);
  assertEquals(machine.state()?.holds.map(({ revision }) => revision), [bad]);
  assertEquals(machine.state()?.lastGood?.subject, "First");

  // The old system wants the old kernel.
  await machine.sync();
  await machine.goesDown();
  await machine.bootAgain();
  assertEquals(await kernel(machine), "1");
  await sync(machine, 9);
  assertEquals(machine.state()?.reboot?.result, "well");
  assertEquals(machine.running(), first);
});

test("after one reboot that failed, the next has its way back, too", async () => {
  const made = await booted({ reboot: "when-needed" });
  await using machine = made.machine;
  const first = machine.running();
  for (const number of ["2", "3"]) {
    const web = `test "$(cat /run/booted-system/kernel)" != ${number}`;
    await made.repository.publish(`Kernel ${number}`, {
      knobs: { kernel: number, services: { web } },
    });
    await machine.sync();
    await machine.goesDown();
    await machine.bootAgain();
    assertEquals(await kernel(machine), number);
    const { stderr } = await sync(machine, 7);
    assertStringIncludes(stderr, "the previous system runs again");
    assertEquals(machine.running(), first);
    assertEquals(machine.bootEntry(), first);
  }
});

test("a host that comes up on another system keeps that one", async () => {
  const made = await booted({ reboot: "always" });
  await using machine = made.machine;
  const { repository } = made;
  const first = machine.running()!;
  const firstEntry = machine.read("/boot/loader/loader.conf")!;
  await repository.publish("Second");
  await machine.sync();
  await machine.goesDown();
  // As a bootloader does that counts tries, or a person at its menu.
  const conf = "boot/loader/loader.conf";
  for (const root of ["upper", "root"]) {
    await Deno.writeTextFile(`${machine.folder}/${root}/${conf}`, firstEntry)
      .catch(() => {});
  }
  await machine.bootAgain();
  assertEquals(machine.running(), first);
  assert(machine.bootDefault() !== first);
  const ended = await sync(machine, 7);
  assertStringIncludes(
    ended.stderr,
    `After the reboot, the host came up on ${first}`,
  );
  assertEquals(machine.bootDefault(), first);
  await sync(machine, 9);
  assertEquals(machine.state()?.lastGood?.subject, "First");
});

test("a remote that is down with the host is no reason to go back", async () => {
  const made = await booted({
    reboot: "always",
    retries: 0,
    "timeouts.health": "2s",
    "health.commands": [["true"]],
  });
  await using machine = made.machine;
  const { repository } = made;
  const away = `${repository.bare}.away`;
  await repository.publish("Second");
  await machine.sync();
  await machine.goesDown();
  await Deno.rename(repository.bare, away);
  await machine.bootAgain();
  const second = machine.running();
  assertEquals(machine.bootDefault(), second);
  await sync(machine, 3);
  assertEquals(machine.state()?.reboot?.result, undefined);
  assertEquals(machine.state()?.attempt, undefined);
  await Deno.rename(away, repository.bare);
  await sync(machine, 0);
  assertEquals(machine.state()?.reboot?.result, "well");
  assertEquals(machine.state()?.lastGood?.booted, true);
  assertEquals(machine.running(), second);
});

test("a host that is cut off since a reboot goes back", async () => {
  const made = await booted({
    reboot: "always",
    retries: 0,
    "timeouts.health": "2s",
  });
  await using machine = made.machine;
  const { repository } = made;
  const first = machine.running();
  await repository.publish("Second");
  await machine.sync();
  await machine.goesDown();
  await Deno.rename(repository.bare, `${repository.bare}.away`);
  await machine.bootAgain();
  await sync(machine, 3);
  const state = machine.state()!;
  const at = new Date(Date.now() - 3_601_000).toISOString();
  machine.write(
    "/var/lib/gitops-sync/state.json",
    JSON.stringify({ ...state, reboot: { ...state.reboot, at } }),
  );
  const ended = await sync(machine, 7);
  assertStringIncludes(
    ended.stderr,
    "the repository can no longer be reached",
  );
  assertEquals(machine.running(), first);
  assertEquals(machine.bootDefault(), first);
  // It is not left again because of the remote.
  await sync(machine, 3);
  assertEquals(machine.running(), first);
});

test("what could not be put back after a reboot is put back by a later run", async () => {
  const made = await booted({ reboot: "when-needed", operation: "boot" });
  await using machine = made.machine;
  const { repository } = made;
  const first = machine.running();
  const web = 'test "$(cat /run/booted-system/kernel)" != 2';
  await repository.publish("Kernel 2", {
    knobs: { kernel: "2", services: { web } },
  });
  await machine.sync();
  await machine.goesDown();
  await machine.bootAgain();
  assert(machine.running() !== first);
  const tool = "/usr/bin/systemd-run";
  await machine.output(["mount", "--bind", "/bin/false", tool]);
  await sync(machine, 8);
  await machine.output(["umount", tool]);
  await machine.sync("sync");
  assertEquals(machine.running(), first);
  assertEquals(machine.bootDefault(), first);
});

test("a host that is not well and has no way back needs a person", async () => {
  const told = (hook: string) => [["sh", "-c", `echo ${hook} >>/root/told`]];
  const made = await booted({
    reboot: "always",
    keep: 0,
    "hooks.onFailure": told("onFailure"),
    "hooks.onRecovered": told("onRecovered"),
  });
  await using machine = made.machine;
  const { repository } = made;
  await repository.publish("Only warm", {
    knobs: { services: { web: "test -e /run/warm" } },
  });
  machine.write("/run/warm", "");
  await machine.sync();
  await machine.goesDown();
  await machine.bootAgain();
  const ended = await sync(machine, 8);
  assertStringIncludes(
    ended.stderr,
    "no earlier system is left to roll back to",
  );
  // It stays so until it is mended, and is no success meanwhile.
  for (const _ of [1, 2]) {
    const again = await sync(machine, 8);
    assertStringIncludes(
      again.stderr,
      "still not healthy: 1 unit failed: web.",
    );
  }
  assertEquals(machine.read("/root/told"), "onFailure\n");
  const status = await machine.sync("status");
  assertStringIncludes(status.stdout, "Manual action is needed");
  machine.write("/run/warm", "");
  await machine.output(["systemctl", "restart", "web.service"]);
  await sync(machine, 0);
  assertEquals(machine.read("/root/told"), "onFailure\nonRecovered\n");
  assertEquals(machine.state()?.lastGood?.unwell, undefined);
  // A revision that mends it is deployed all the same.
  await repository.publish("Mended", { knobs: { services: {} } });
  await machine.sync();
  assertEquals(machine.state()?.lastGood?.subject, "Mended");
});

test("a host that is suspended is not rebooted", async () => {
  const suspension = JSON.stringify({
    since: "now",
    until: null,
    reason: null,
  });
  const file = "/var/lib/gitops-sync/suspended.json";
  const made = await booted({
    reboot: "always",
    "hooks.postDeploy": [["sh", "-c", `echo '${suspension}' > ${file}`]],
  });
  await using machine = made.machine;
  await made.repository.publish("Second");
  const ended = await sync(machine, 0);
  assertStringIncludes(ended.stdout, "Deployed ");
  assertEquals(machine.state()?.reboot, undefined);
  await sync(machine, 0);
});
