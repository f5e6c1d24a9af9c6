import { assert, assertEquals, assertMatch } from "@std/assert";
import { type Knobs, makeRepository } from "../world/repository.ts";
import type { Settings } from "../world/host.ts";
import { Machine } from "./machine.ts";

const refusal = await Machine.refusal();
if (refusal) console.log(`the way back is not tested here: ${refusal}`);

const settings: Settings = {
  "timeouts.activate": "30s",
  "timeouts.health": "3s",
};

interface Scene {
  machine: Machine;
  /** The good system. */
  first: string;
  publish(knobs: Knobs): Promise<string>;
  configure(more: Settings): void;
}

/** A test with a good system, whose units are these. */
function test(
  name: string,
  knobs: Knobs,
  body: (scene: Scene) => Promise<void>,
) {
  Deno.test({
    name,
    ignore: refusal !== null,
    fn: async () => {
      await using machine = await Machine.boot();
      const repository = await makeRepository(`${machine.shared}/infra`);
      const configure = (more: Settings) =>
        machine.configure(repository, { ...settings, ...more });
      const publish = (more: Knobs) =>
        repository.publish("A change", { knobs: more });
      configure({});
      machine.write("/srv/page", "hello");
      await publish(knobs);
      const { code, stderr } = await machine.sync();
      assertEquals(code, 0, stderr);
      const first = machine.running()!;
      await body({ machine, first, publish, configure });
    },
  });
}

const wanted = "\n[Install]\nWantedBy=multi-user.target\n";
const daemon = `[Service]\nExecStart=sleep 600\n${wanted}`;
const failing = {
  "web.service": `[Service]\nExecStart=/bin/sh -c 'exit 3'\n${wanted}`,
};

const activityOf = async (machine: Machine, unit: string) =>
  (await machine.run(["systemctl", "is-active", unit])).stdout.trim();

test("what ran before and does not come back is named, until it does", {
  units: {
    "web.service": `[Unit]\nAssertPathExists=/srv/page\n${daemon}`,
    "other.service": daemon,
  },
}, async ({ machine, first, publish }) => {
  await publish({
    activation: "rm /srv/page",
    units: { ...failing, "other.service": `# another\n${daemon}` },
  });
  const { code, stderr } = await machine.sync();
  assertEquals(code, 8, stderr);
  assertMatch(stderr, /runs again, but 1 unit did not start.*web\.service/);
  assertEquals(machine.running(), first);
  assertEquals(await activityOf(machine, "other.service"), "active");
  assertEquals((await machine.sync()).code, 8, "it is still not done");

  machine.write("/srv/page", "hello");
  const next = await machine.sync();
  assertEquals(next.code, 9, next.stderr);
  assertEquals(await activityOf(machine, "web.service"), "active");
  assertEquals(machine.state()?.attempt, undefined);
});

test(
  "a way back whose activation fails is not done, and a reboot may be the rescue",
  {
    units: { "web.service": daemon },
    activation: "test ! -e /run/poison",
  },
  async ({ machine, first, publish, configure }) => {
    configure({ rescue: "reboot" });
    await publish({ units: failing, activation: "touch /run/poison" });
    const { code, stderr } = await machine.sync();
    assertEquals(code, 8, stderr);
    assertMatch(stderr, /runs again, but not as before: an activation script/);
    assertMatch(stderr, /Rebooting into/);
    assertEquals(machine.state()?.last?.exit, 8);
    await machine.goesDown();
    await machine.bootAgain();
    assertEquals(machine.running(), first);
    assertEquals(await activityOf(machine, "web.service"), "active");
    const next = await machine.sync();
    assertEquals(next.code, 9, next.stderr);
    assertEquals(machine.state()?.attempt, undefined);
  },
);

test("a candidate that takes D-Bus away does not take the way back", {
  units: { "web.service": daemon },
}, async ({ machine, first, publish }) => {
  await publish({
    units: failing,
    activation: "systemctl stop dbus.socket dbus.service",
  });
  const { code, stderr } = await machine.sync();
  assertEquals(code, 7, stderr);
  assertMatch(stderr, /Starting dbus\.socket, which ran before/);
  assertEquals(machine.running(), first);
  for (const unit of ["dbus.socket", "web.service"]) {
    assertEquals(await activityOf(machine, unit), "active", unit);
  }

  // Nor does it from the dead-man's switch, which is alone.
  const run = machine.startSync(["retry"]);
  await until(() => machine.running() !== first);
  run.signal("SIGKILL");
  await run.ended;
  await until(async () => {
    const { stdout } = await machine.run([
      "systemctl",
      "list-units",
      "--no-legend",
      "--state=active,activating,deactivating",
      "gitops-sync-activate-*",
    ]);
    return stdout === "";
  });
  // What its timer does when its time is up.
  const unit = "gitops-sync-dead-mans-switch.service";
  await machine.output(["systemctl", "start", unit]);
  assertEquals(machine.running(), first);
  for (const unit of ["dbus.socket", "web.service"]) {
    assertEquals(await activityOf(machine, unit), "active", unit);
  }
});

test(
  "nothing is switched where logind does not answer, or another is at work",
  {
    units: { "web.service": daemon },
  },
  async ({ machine, first, publish, configure }) => {
    const signal = (name: string) =>
      machine.output([
        "systemctl",
        "kill",
        `--signal=${name}`,
        "systemd-logind.service",
      ]);
    await publish({ units: { "web.service": `# another\n${daemon}` } });
    await signal("STOP");
    const { code, stderr } = await machine.sync();
    assertEquals(code, 6, stderr);
    assertMatch(stderr, /logind does not answer/);
    assertEquals(await activityOf(machine, "web.service"), "active");
    assertEquals(machine.state()?.holds, []);
    await signal("CONT");

    // It is taken right before the switch begins.
    configure({
      "hooks.preDeploy": [[
        "systemd-run",
        "--quiet",
        "--unit=another-switch",
        "--service-type=exec",
        "flock",
        "/run/nixos/switch-to-configuration.lock",
        "sleep",
        "600",
      ]],
    });
    const locked = await machine.sync("sync", "--now");
    assertEquals(locked.code, 10, locked.stderr);
    assertMatch(locked.stderr, /another switch was in progress/);
    assert(
      !locked.stderr.includes("Rolling back"),
      "nothing had to be put back",
    );
    assertEquals(machine.running(), first);
  },
);

test("what runs unconfirmed is not taken for what ran before", {
  units: { "web.service": daemon },
}, async ({ machine, first, publish }) => {
  await publish({ units: failing });
  assertEquals((await machine.sync()).code, 7);
  const candidate = String(machine.history().at(-1)?.["system"]);
  // As a run that was killed, and whose state was lost, leaves it.
  await machine.run([`${candidate}/bin/switch-to-configuration`, "test"]);
  assertEquals(machine.running(), candidate);
  const { code, stderr } = await machine.sync("retry");
  assertEquals(code, 7, stderr);
  assertMatch(stderr, /1 unit failed: web\.service/);
  assertEquals(machine.running(), first);
  assertEquals(await activityOf(machine, "web.service"), "active");
});

test("what was healthy and was not confirmed is looked at again", {
  units: { "web.service": daemon },
}, async ({ machine, first, publish }) => {
  await publish({
    units: {
      "web.service":
        `[Service]\nExecStart=/bin/sh -c 'test -e /srv/page && exec sleep 600'\n${wanted}`,
    },
  });
  const { code, stderr } = await machine.sync();
  assertEquals(code, 0, stderr);
  const { lastGood, earlier, ...after } = machine.state()!;
  const { revision, subject, author, committedAt, target, system, boot } =
    lastGood!;
  // As if it had been cut off right before it was recorded.
  const attempt = {
    id: "20260101-000000-0000",
    command: "sync",
    commit: { revision, subject, author, committedAt },
    target,
    startedAt: lastGood!.at,
    stage: "confirm",
    bootId: boot,
    previous: { running: first, bootDefault: first },
    candidate: system,
    ranBefore: ["web.service"],
    touched: true,
  };
  const [good] = earlier;
  machine.write(
    "/var/lib/gitops-sync/state.json",
    JSON.stringify({ ...after, lastGood: good, earlier: [], attempt }),
  );
  await machine.output(["rm", "/srv/page"]);
  await machine.run(["systemctl", "restart", "web.service"]);
  await until(async () =>
    await activityOf(machine, "web.service") === "failed"
  );
  const next = await machine.sync();
  assertEquals(next.code, 9, next.stderr);
  assertMatch(next.stderr, /1 unit failed: web\.service/);
  assertEquals(machine.running(), first);
  assertEquals(machine.bootDefault(), first);
});

test("a host that is still starting is left alone, and run again soon", {
  units: {
    "web.service": daemon,
    "slow.service":
      `[Unit]\nConditionPathExists=/srv/boot-slowly\n[Service]\nType=oneshot\nExecStart=/bin/sh -c 'until [ -e /run/go ]; do sleep 0.1; done'\n${wanted}`,
  },
}, async ({ machine, first, publish }) => {
  await publish({ release: "24.11", greeting: "second" });
  machine.write("/srv/boot-slowly", "");
  await machine.powerCut();
  // It does not come to the end of its boot until we say so.
  const booted = machine.bootAgain();
  await until(async () => await stateOf(machine) === "starting");
  const { code, stdout } = await machine.sync();
  assertEquals(code, 0);
  assertMatch(stdout, /The host is still starting: nothing was done/);
  assertEquals(machine.running(), first);

  machine.write(
    "/run/systemd/system/gitops-sync.service",
    "[Service]\nType=oneshot\nExecStart=gitops-sync sync\nEnvironment=HOME=/root\n",
  );
  await machine.output(["systemctl", "daemon-reload"]);
  await machine.output(["systemctl", "start", "gitops-sync.service"]);
  assertEquals(await activityOf(machine, "gitops-sync-again.timer"), "active");
  assertEquals(machine.running(), first);
  machine.write("/run/go", "");
  await booted;
  // Nobody else runs it.
  await until(() =>
    machine.state()?.last?.result === "deployed" &&
    machine.running() !== first
  );
});

async function stateOf(machine: Machine): Promise<string> {
  try {
    return await machine.health();
  } catch {
    return "off";
  }
}

async function until(isTrue: () => boolean | Promise<boolean>) {
  while (!await isTrue()) await new Promise((go) => setTimeout(go, 200));
}

test("a dead-man's switch that can't be disarmed lets nothing be confirmed", {
  units: { "web.service": daemon },
}, async ({ machine, first, publish }) => {
  const timer = "gitops-sync-dead-mans-switch.timer";
  machine.write(
    "/root/refusing",
    `#!/bin/sh\n[ "$*" != "stop -- ${timer}" ] || exit 1\n` +
      'exec /root/systemctl "$@"\n',
  );
  await machine.output(["chmod", "755", "/root/refusing"]);
  await machine.output(["cp", "/usr/bin/systemctl", "/root/systemctl"]);
  const bind = ["mount", "--bind", "/root/refusing", "/usr/bin/systemctl"];
  await machine.output(bind);
  await publish({ units: { "web.service": `# another\n${daemon}` } });
  const { code, stderr } = await machine.sync();
  assertEquals(code, 7, stderr);
  assertMatch(
    stderr,
    /Cannot confirm: the dead-man's switch could not be disarmed/,
  );
  assertMatch(
    stderr,
    /Cannot disarm the dead-man's switch: it rolls the host back/,
  );
  assertEquals(machine.running(), first);
  assertEquals(machine.bootDefault(), first);
  assertEquals(machine.bootEntry(), first);
  assertEquals(await activityOf(machine, timer), "active");

  await machine.output(["umount", "/usr/bin/systemctl"]);
  const next = await machine.sync("sync", "--now");
  assertEquals(next.code, 0, next.stderr);
  assert(machine.running() !== first);
  assertEquals(await activityOf(machine, timer), "inactive");
});
