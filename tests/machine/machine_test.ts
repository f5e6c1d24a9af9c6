import {
  assert,
  assertEquals,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { exists } from "@std/fs";
import { type Change, makeRepository } from "../world/repository.ts";
import { Machine } from "./machine.ts";

const refusal = await Machine.refusal();
if (refusal) console.log(`machines are not tested here: ${refusal}`);

/** A test with a machine of its own. */
function test(name: string, body: (machine: Machine) => Promise<void>) {
  Deno.test({
    name,
    ignore: refusal !== null,
    fn: async () => {
      await using machine = await Machine.boot();
      await body(machine);
    },
  });
}

const profile = "/nix/var/nix/profiles/system";

/** Publishes changes one by one; gives what builds the system of the last. */
async function publish(machine: Machine, ...changes: Change[]) {
  const repository = await makeRepository(`${machine.shared}/infra`);
  const flakes: string[] = [];
  for (const change of changes) {
    const revision = await repository.publish("A change", change);
    flakes.push(
      `git+${machine.urlOf(repository)}?ref=main&rev=${revision}#demo`,
    );
  }
  return flakes;
}

async function build(machine: Machine, flake: string): Promise<string> {
  await machine.output(["nixos-rebuild", "build", "--flake", flake]);
  return await machine.output(["readlink", "-f", "result"]);
}

async function switchTo(machine: Machine, system: string): Promise<void> {
  await machine.output(["nix-env", "--profile", profile, "--set", system]);
  await machine.output([`${system}/bin/switch-to-configuration`, "switch"]);
}

const web = { command: "exec sleep 600", type: "simple" } as const;

test("a machine comes up whole, and its programs work", async (machine) => {
  assertEquals(await machine.failedUnits(), []);
  assertEquals(await machine.health(), "running");
  const comm = await machine.output(["cat", "/proc/1/comm"]);
  assertEquals(comm, "systemd");
  assertEquals(await machine.output(["hostname"]), "demo");
  await machine.output(["deno", "eval", "Deno.exit(Deno.pid > 1 ? 0 : 1)"]);
  await machine.output(["sops", "--version"]);
  const unit = await machine.output(
    ["systemd-run", "--wait", "--pipe", "--collect", "--quiet", "echo", "hi"],
  );
  assertEquals(unit, "hi");
});

test("a machine cannot write to the checkout or the kernel", async (machine) => {
  for (const place of ["/opt/gitops-sync/x", "/proc/sys/kernel/panic"]) {
    const { code } = await machine.run(["sh", "-c", `echo 1 > ${place}`]);
    assertNotEquals(code, 0, place);
  }
});

test("a system is built and switched to, and its units start", async (machine) => {
  const [flake] = await publish(machine, { knobs: { services: { web } } });
  const system = await build(machine, flake!);
  await switchTo(machine, system);
  assertEquals(machine.running(), system);
  assertEquals(machine.bootDefault(), system);
  assertEquals(machine.bootEntry(), system);
  const state = await machine.output(["systemctl", "is-active", "web"]);
  assertEquals(state, "active");
});

test("a unit that fails is seen by systemd and by the switch", async (machine) => {
  const [flake] = await publish(machine, {
    knobs: { services: { web: "echo port 80 is taken; exit 1" } },
  });
  const system = await build(machine, flake!);
  const ended = await machine.run(
    [`${system}/bin/switch-to-configuration`, "test"],
  );
  assertEquals(ended.code, 4);
  assertStringIncludes(ended.stderr, "web.service");
  assertEquals(await machine.failedUnits(), ["web.service"]);
  assertEquals(await machine.health(), "degraded");
  const log = await machine.output(["journalctl", "-u", "web", "-o", "cat"]);
  assertStringIncludes(log, "port 80 is taken");
});

test("after a power cut the boot default runs, not what was tested", async (machine) => {
  const [first, second] = await publish(
    machine,
    { knobs: { greeting: "first", services: { web } } },
    { knobs: { greeting: "second", services: { other: web } } },
  );
  const good = await build(machine, first!);
  await switchTo(machine, good);
  const tried = await build(machine, second!);
  await machine.output([`${tried}/bin/switch-to-configuration`, "test"]);
  assertEquals(machine.running(), tried);
  const boot = await bootId(machine);
  const slow = machine.run(["sleep", "600"]);

  await machine.powerCut();
  assertEquals((await slow).code, 137);
  await machine.bootAgain();

  assertEquals(machine.running(), good);
  assertEquals(machine.bootDefault(), good);
  assertEquals(machine.calls(), [{ action: "init", system: good }]);
  assertEquals(
    await machine.output(["readlink", "/run/booted-system"]),
    good,
  );
  assertEquals(
    await machine.output(["systemctl", "is-active", "web"]),
    "active",
  );
  const { stdout } = await machine.run(["systemctl", "is-active", "other"]);
  assertEquals(stdout, "inactive\n");
  assertNotEquals(await bootId(machine), boot);
  const before = await machine.output([
    "journalctl",
    "-b",
    "-1",
    "-u",
    "other",
  ]);
  assertStringIncludes(before, "Started other.service");
});

function bootId(machine: Machine): Promise<string> {
  return machine.output(["cat", "/proc/sys/kernel/random/boot_id"]);
}

test("a machine is shut down in good order and boots again", async (machine) => {
  const unit = ["--unit=last", "--property=ExecStop=touch /root/stopped"];
  await machine.output(["systemd-run", "--quiet", ...unit, "sleep", "600"]);
  await machine.shutDown();
  await machine.bootAgain();
  assertEquals(await machine.output(["ls", "/root"]), "stopped");
  assertEquals(await machine.health(), "running");
});

test("a hardened unit builds through the daemon, and runs Deno", async (machine) => {
  const [flake] = await publish(machine, {});
  const properties = [
    "ProtectSystem=strict",
    "ProtectHome=read-only",
    "StateDirectory=built",
    "WorkingDirectory=/var/lib/built",
    "CacheDirectory=built",
    "Environment=XDG_CACHE_HOME=/var/cache/built NIX_REMOTE=daemon",
    "PrivateTmp=yes",
    "PrivateDevices=yes",
    "NoNewPrivileges=yes",
    "RestrictNamespaces=yes",
    "CapabilityBoundingSet=",
    // V8 asks for memory protection keys (pkeys(7)).
    "SystemCallFilter=@system-service @pkey",
  ];
  const hardened = (...argv: string[]) =>
    machine.output([
      "systemd-run",
      "--wait",
      "--pipe",
      "--collect",
      "--quiet",
      ...properties.map((property) => `--property=${property}`),
      ...argv,
    ]);
  const words = await hardened("deno", "eval", "console.log(1 + 1)");
  assertEquals(words, "2");
  await hardened("nixos-rebuild", "build", "--flake", flake!);
  const system = await machine.output(
    ["readlink", "-f", "/var/lib/built/result"],
  );
  await machine.output([`${system}/bin/switch-to-configuration`, "test"]);
  assertEquals(machine.running(), system);
});

test("a machine is cut off from the network and comes back", async (machine) => {
  const server = machine.startOutside([
    Deno.execPath(),
    "eval",
    `Deno.serve({ hostname: "10.23.0.1", port: 80 }, () => new Response("hi"))`,
  ], { timeout: 600_000 });
  const ask = (...more: string[]) =>
    machine.run(
      ["curl", "--silent", "--show-error", ...more, "http://10.23.0.1/"],
    );
  const patient = ["--retry", "20", "--retry-delay", "1", "--retry-all-errors"];
  assertEquals((await ask(...patient)).stdout, "hi");
  await machine.pullCable();
  assertNotEquals((await ask("--max-time", "2")).code, 0);
  await machine.plugCable();
  assertEquals((await ask(...patient)).stdout, "hi");
  server.kill();
  assertEquals((await server.ended).code, 137);
});

test("a program in a machine is watched and killed", async (machine) => {
  const program = machine.start([
    "sh",
    "-c",
    "touch /run/begun; exec sleep 600",
  ]);
  while (machine.read("/run/begun") === null) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  program.signal("SIGTERM");
  assertEquals((await program.ended).code, 143);
});

Deno.test({
  name: "what a machine was goes with it, though a test throws",
  ignore: refusal !== null,
  fn: async () => {
    let folder = "", init = 0;
    const body = async () => {
      await using machine = await Machine.boot();
      folder = machine.folder;
      init = machine.init;
      throw new Error("the test's own");
    };
    const message = await body().catch((error: Error) => error.message);
    assertEquals(message, "the test's own");
    assert(!await exists(folder), "its folder is removed");
    assert(!await exists(`/proc/${init}`), "its processes have ended");
    const mounts = await Deno.readTextFile("/proc/self/mountinfo");
    assert(!mounts.includes(folder), "nothing of it is mounted");
  },
});
