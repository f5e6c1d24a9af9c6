import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import {
  type Knobs,
  makeRepository,
  type Repository,
} from "../world/repository.ts";
import { Machine } from "./machine.ts";

const refusal = await Machine.refusal();
if (refusal) console.log(`safety is not tested here: ${refusal}`);

interface Scene {
  machine: Machine;
  repository: Repository;
  /** The first good system. */
  first: string;
  /** Publishes a revision. */
  publish(knobs: Knobs): Promise<string>;
}

const web = (command: string) => ({
  web: { command, type: "simple" as const },
});

/** A test on a machine on which a good revision is deployed. */
function test(name: string, body: (scene: Scene) => Promise<void>) {
  Deno.test({
    name,
    ignore: refusal !== null,
    fn: async () => {
      await using machine = await Machine.boot();
      const repository = await makeRepository(`${machine.shared}/infra`);
      // What is good has the time that it needs on a busy machine.
      machine.configure(repository);
      const publish = (knobs: Knobs) =>
        repository.publish("A change", { knobs });
      await publish({ services: web("exec sleep 600") });
      const { code, stderr } = await machine.sync();
      assertEquals(code, 0, stderr);
      machine.configure(repository, {
        "timeouts.activate": "2s",
        "timeouts.health": "1s",
      });
      await body({ machine, repository, first: machine.running()!, publish });
    },
  });
}

/** The host runs and boots a system, and no unit has failed. */
async function assertStands(machine: Machine, system: string) {
  assertEquals(machine.running(), system);
  assertEquals(machine.bootDefault(), system);
  assertEquals(machine.bootEntry(), system);
  assertEquals(await machine.failedUnits(), []);
}

const deadMansSwitch = "gitops-sync-dead-mans-switch.timer";

async function isArmed(machine: Machine): Promise<boolean> {
  const { stdout } = await machine.run(
    ["systemctl", "is-active", deadMansSwitch],
  );
  return stdout.trim() === "active";
}

/** Starts a run, and waits until its journal is at a stage. */
async function startUntil(machine: Machine, stage: string) {
  const run = machine.startSync(["sync"]);
  while (machine.state()?.attempt?.stage !== stage) await sleep(5);
  return run;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function until(isTrue: () => boolean | Promise<boolean>) {
  while (!await isTrue()) await sleep(50);
}

test("the dead-man's switch fires without us, and the next run says so", async ({ machine, first, publish }) => {
  const revision = await publish({ greeting: "second", hangAfter: 1 });
  const run = await startUntil(machine, "activate");
  await until(() => machine.running() !== first);
  run.signal("SIGKILL");
  await run.ended;
  assertNotEquals(machine.running(), first);
  assert(await isArmed(machine), "it is armed");
  // The program and its state may be gone: it needs neither.
  const state = machine.read("/var/lib/gitops-sync/state.json")!;
  await machine.output(["mv", "/var/lib/gitops-sync", "/var/lib/elsewhere"]);
  await until(() => machine.running() === first);
  await until(async () => !await isArmed(machine));
  await machine.output(["mv", "/var/lib/elsewhere", "/var/lib/gitops-sync"]);
  assertEquals(machine.read("/var/lib/gitops-sync/state.json"), state);

  const { code, stderr } = await machine.sync();
  assertEquals(code, 9, stderr);
  const { stdout } = await machine.sync("status", "--json");
  const { why } = JSON.parse(stdout);
  assertMatch(why, /dead-man's switch rolled the host back/);
  assertStringIncludes(why, revision.slice(0, 12));
  await assertStands(machine, first);
});

test("the dead-man's switch does not fire after a confirmation", async ({ machine, publish }) => {
  await publish({ greeting: "second" });
  assertEquals((await machine.sync()).code, 0);
  assert(!await isArmed(machine), "it is disarmed");
  await assertStands(machine, machine.running()!);
});

test("a run is stopped by the very switch that it waits for", async ({ machine, first, publish }) => {
  await publish({
    greeting: "second",
    activation: "systemctl stop gitops-run.service || true",
  });
  const run = machine.start([
    "systemd-run",
    "--unit=gitops-run",
    "--wait",
    "--collect",
    "gitops-sync",
    "sync",
  ]);
  await run.ended;
  // The switch went on by itself, and the way back is armed.
  await until(() => machine.running() !== first);
  assert(await isArmed(machine), "it is armed");
  const { stdout } = await machine.sync("status", "--json");
  assertMatch(
    JSON.stringify(JSON.parse(stdout).next),
    /interrupted at the activate stage/,
  );
  const next = await machine.sync();
  assertEquals(next.code, 0, next.stderr);
  assertNotEquals(machine.running(), first);
  await assertStands(machine, machine.running()!);
});

test("a switch whose systemd-run is killed is waited for", async ({ machine, repository, first, publish }) => {
  machine.configure(repository, {
    "timeouts.activate": "60s",
    "timeouts.health": "30s",
  });
  await publish({ greeting: "second", activation: "sleep 3" });
  const run = machine.startSync(["sync"]);
  await until(() => machine.state()?.attempt?.stage === "activate");
  let killed = "";
  await until(async () => {
    const { stdout } = await machine.run([
      ...["pgrep", "--full", "^[^ ]*systemd-run --unit=gitops-sync-activate"],
    ]);
    killed = stdout.trim();
    return killed !== "";
  });
  await machine.output(["kill", "-KILL", ...killed.split("\n")]);
  const { code, stderr } = await run.ended;
  assertEquals(code, 0, stderr);
  assertNotEquals(machine.running(), first);
  await assertStands(machine, machine.running()!);
  assert(!await isArmed(machine), "it is disarmed");
});

test("a way back that fails is an exit 8, and each run tries it again", async ({ machine, first, publish }) => {
  await publish({ services: web("exit 3") });
  const run = machine.startSync(["sync"]);
  await until(() => machine.state()?.attempt?.stage === "activate");
  // What the way back needs, taken away as soon as the candidate runs.
  await until(() => machine.running() !== first);
  const tool = "/usr/bin/systemd-run";
  await machine.output(["mount", "--bind", "/bin/false", tool]);
  const { code, stderr } = await run.ended;
  assertEquals(code, 8, stderr);
  assert(await isArmed(machine), "the dead-man's switch stays armed");
  const { stdout } = await machine.sync("status", "--json");
  assertMatch(
    JSON.stringify(JSON.parse(stdout).next),
    /Manual action is needed/,
  );
  assertEquals((await machine.sync()).code, 8);

  await machine.output(["umount", tool]);
  const last = await machine.sync();
  assertEquals(last.code, 9, last.stderr);
  await assertStands(machine, first);
  assert(!await isArmed(machine), "it is disarmed");
});

test("a system that does not come up well is left after the reboot", async ({ machine, first, publish }) => {
  // It runs well only as long as nothing was booted with it.
  await publish({
    services: web("test -e /run/warm || exit 3; exec sleep 600"),
  });
  machine.write("/run/warm", "");
  assertEquals((await machine.sync()).code, 0);
  const second = machine.running()!;
  await assertStands(machine, second);
  await machine.powerCut();
  await machine.bootAgain();
  assertEquals(machine.running(), second);

  const { code, stderr } = await machine.sync();
  assertEquals(code, 7, stderr);
  assertMatch(stderr, /was not healthy after a reboot.*web\.service/);
  await assertStands(machine, first);
  const again = await machine.sync();
  assertEquals(again.code, 9, again.stderr);
  assertMatch(again.stderr, /was not healthy after a reboot/);
});

test("a host that is cut off on its way back after a reboot goes on with it", async ({ machine, repository, first, publish }) => {
  await publish({
    services: web("test -e /run/warm || exit 3; exec sleep 600"),
  });
  machine.write("/run/warm", "");
  assertEquals((await machine.sync()).code, 0);
  await machine.powerCut();
  await machine.bootAgain();
  const pid =
    `sed -n 's/.*"pid":\\([0-9]*\\).*/\\1/p' /var/lib/gitops-sync/lock`;
  machine.configure(repository, {
    "timeouts.activate": "2s",
    "timeouts.health": "1s",
    "hooks.preDeploy": [["sh", "-c", `kill -KILL $(${pid})`]],
  });
  assertEquals((await machine.sync()).code, 137);
  assertNotEquals(machine.running(), first);
  machine.configure(repository, {
    "timeouts.activate": "2s",
    "timeouts.health": "1s",
  });
  const { code, stderr } = await machine.sync();
  assertEquals(code, 7, stderr);
  await assertStands(machine, first);
});

test("a way back after a reboot that could not begin is taken by the next run", async ({ machine, repository, first, publish }) => {
  machine.configure(repository, {
    "timeouts.activate": "30s",
    "timeouts.health": "10s",
  });
  await publish({
    services: web("test -e /run/warm || exit 3; exec sleep 600"),
  });
  machine.write("/run/warm", "");
  assertEquals((await machine.sync()).code, 0);
  await machine.powerCut();
  await machine.bootAgain();
  const tool = "/usr/bin/systemd-run";
  await machine.output(["mount", "--bind", "/bin/false", tool]);
  const refused = await machine.sync();
  assertEquals(refused.code, 6, refused.stderr);
  assertNotEquals(machine.running(), first);
  await machine.output(["umount", tool]);
  const { code, stderr } = await machine.sync();
  assertEquals(code, 7, stderr);
  await assertStands(machine, first);
});

test("a host that came up unwell, with nothing to go back to, says so until it is well", async ({ machine, repository, first, publish }) => {
  await machine.powerCut();
  await machine.bootAgain();
  machine.configure(repository, {
    "timeouts.health": "1s",
    "health.commands": [["false"]],
  });
  const { code, stderr } = await machine.sync();
  assertEquals(code, 8, stderr);
  assertMatch(stderr, /was not healthy after a reboot.*no earlier system/);
  assertEquals(machine.running(), first);
  const again = await machine.sync();
  assertEquals(again.code, 8, again.stderr);
  // What mends it comes all the same.
  machine.configure(repository, { "timeouts.health": "5s" });
  await publish({ greeting: "mended" });
  const next = await machine.sync();
  assertEquals(next.code, 0, next.stderr);
});

test("a system that was confirmed after a reboot is looked at", async ({ machine, first, publish }) => {
  await publish({
    services: web("test -e /run/warm || exit 3; exec sleep 600"),
  });
  machine.write("/run/warm", "");
  const before = machine.state()!;
  assertEquals((await machine.sync()).code, 0);
  const { lastGood, ...after } = machine.state()!;
  // As if it had been cut off right before it was recorded.
  const { revision, subject, author, committedAt, target, system } = lastGood!;
  machine.write(
    "/var/lib/gitops-sync/state.json",
    JSON.stringify({
      ...after,
      lastGood: before.lastGood,
      earlier: [],
      attempt: {
        id: "20260101-000000-0000",
        command: "sync",
        commit: { revision, subject, author, committedAt },
        target,
        startedAt: lastGood!.at,
        stage: "confirm",
        bootId: lastGood!.boot,
        previous: { running: first, bootDefault: first },
        candidate: system,
        touched: true,
      },
    }),
  );
  await machine.powerCut();
  await machine.bootAgain();
  assertEquals(machine.running(), system);
  const { code, stderr } = await machine.sync();
  assertEquals(code, 7, stderr);
  assertStringIncludes(
    stderr,
    "The host is healthy, so the deployment is confirmed now",
  );
  assertStringIncludes(stderr, "was not healthy after a reboot");
  await assertStands(machine, first);
});

test("a system that came up well is looked at once", async ({ machine, repository, first, publish }) => {
  machine.configure(repository, { operation: "boot" });
  await publish({ greeting: "second" });
  const deployed = await machine.sync();
  assertEquals(deployed.code, 0, deployed.stderr);
  assertEquals(machine.running(), first);
  assertNotEquals(machine.bootEntry(), first);
  assertEquals(machine.state()?.lastGood?.boot, undefined);
  await machine.powerCut();
  await machine.bootAgain();
  const next = await machine.sync();
  assertEquals(next.code, 0, next.stderr);
  assertNotEquals(machine.running(), first);
  assertEquals(machine.state()?.lastGood?.booted, true);
});

test("a change that needs a reboot waits for operation: boot", async ({ machine, repository, first, publish }) => {
  await publish({ exit: { test: 100 } });
  const { code, stderr } = await machine.sync();
  assertEquals(code, 11, stderr);
  assertStringIncludes(stderr, "hint: Set `operation: boot`");
  assert(!stderr.includes("Rolling back"), "nothing had to be put back");
  await assertStands(machine, first);
  machine.configure(repository, { operation: "boot" });
  const booted = await machine.sync();
  assertEquals(booted.code, 0, booted.stderr);
  assertNotEquals(machine.bootEntry(), first);
  assertEquals(machine.running(), first);
});

test("nothing is begun while a switch or nixos-rebuild is in progress", async ({ machine, first, publish }) => {
  await publish({ greeting: "second" });
  const lock = "/run/nixos/switch-to-configuration.lock";
  const holder = machine.start(["flock", lock, "sleep", "600"]);
  await until(async () =>
    (await machine.run(["flock", "--nonblock", lock, "true"])).code !== 0
  );
  const locked = await machine.sync();
  assertEquals(locked.code, 10, locked.stderr);
  assertStringIncludes(locked.stderr, "another switch is in progress");
  holder.kill();
  await holder.ended;

  machine.write("/usr/local/sbin/nixos-rebuild", "#!/bin/sh\nsleep 600\n");
  await machine.output(["chmod", "+x", "/usr/local/sbin/nixos-rebuild"]);
  await machine.output([
    "systemd-run",
    "--unit=other",
    "--quiet",
    "--service-type=exec",
    "/usr/local/sbin/nixos-rebuild",
    "switch",
  ]);
  const busy = await machine.sync("sync", "--now");
  assertEquals(busy.code, 10, busy.stderr);
  assertStringIncludes(busy.stderr, "nixos-rebuild is in progress");
  assertEquals(machine.running(), first);
});

test("nothing is fetched where there is no room", async ({ machine, repository, first, publish }) => {
  await publish({ greeting: "second" });
  machine.configure(repository, { "preflight.freeSpace": "900T" });
  const { code, stderr } = await machine.sync();
  assertEquals(code, 6, stderr);
  assertStringIncludes(stderr, "900T are needed");
  assertEquals(machine.running(), first);
});

test("a switch that fires under a run that is too slow is told, and the run gives in", async ({ machine, repository, first, publish }) => {
  machine.configure(repository, {
    "timeouts.health": "5s",
    "health.commands": [["sleep", "2"]],
  });
  await publish({ greeting: "second" });
  const run = await startUntil(machine, "health");
  // What its timer does when its time is up.
  const unit = deadMansSwitch.replace(".timer", ".service");
  await machine.output(["systemctl", "start", unit]);
  await machine.output(["systemctl", "stop", deadMansSwitch]);
  const { code, stderr } = await run.ended;
  assertEquals(code, 7, stderr);
  assertStringIncludes(
    stderr,
    "dead-man's switch rolled the host back",
  );
  await assertStands(machine, first);
  assertEquals((await machine.sync()).code, 9);
});

test("a service that the very switch restarts comes to rest on the old system", async ({ machine, first, publish }) => {
  // As a unit without restartIfChanged=false would be.
  const service = (word: string) => ({
    ...web("exec sleep 600"),
    "gitops-sync": {
      command: `HOME=/root exec gitops-sync sync # ${word}`,
      type: "simple" as const,
    },
  });
  await publish({ services: service("one") });
  assertEquals((await machine.sync()).code, 0);
  await isIdle(machine);
  const second = machine.running()!;
  assertNotEquals(second, first);
  const revision = await publish({ services: service("two") });
  // Twice cut off, it is held.
  for (let runs = 0; runs < 3; runs++) {
    await machine.run(["systemctl", "restart", "gitops-sync.service"]);
    await isIdle(machine);
  }
  assertEquals(machine.running(), second);
  assertEquals(machine.bootEntry(), second);
  const { stdout } = await machine.sync("status", "--json");
  const { why, next } = JSON.parse(stdout);
  assertMatch(why, new RegExp(`${revision.slice(0, 12)} is blocked`));
  assertMatch(next.join(" "), /stops the service of gitops-sync/);
});

/** Waits until no run and no switch is at work. */
async function isIdle(machine: Machine) {
  await until(async () => {
    const { stdout } = await machine.run([
      "systemctl",
      "list-units",
      "--plain",
      "--no-legend",
      "--state=active,activating,deactivating",
      "gitops-sync*.service",
    ]);
    return stdout.trim() === "";
  });
}

Deno.test({
  name: "a first system that fails leaves nothing behind that blocks the next",
  ignore: refusal !== null,
  fn: async () => {
    await using machine = await Machine.boot();
    const repository = await makeRepository(`${machine.shared}/infra`);
    machine.configure(repository, { "timeouts.health": "1s" });
    await repository.publish("Bad", { knobs: { services: web("exit 3") } });
    const { code, stderr } = await machine.sync();
    assertEquals(code, 8, stderr);
    assertStringIncludes(stderr, "no system ran before");
    assertEquals(machine.bootDefault(), null);
    assertEquals((await machine.sync()).code, 9);
    const services = web("exec sleep 600");
    await repository.publish("Good", { knobs: { services } });
    const good = await machine.sync();
    assertEquals(good.code, 0, good.stderr);
    await assertStands(machine, machine.running()!);
  },
});
