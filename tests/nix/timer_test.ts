import { assert, assertEquals, assertMatch } from "@std/assert";
import { Machine } from "../machine/machine.ts";
import { bootUnitHost, type UnitHost } from "./unit_host.ts";

const refusal = await Machine.refusal();
if (refusal) console.log(`the timer is not tested here: ${refusal}`);

const timer = "gitops-sync.timer";
const files = ["gitops-sync.timer", "gitops-sync.service"]
  .map((name) => `/etc/systemd/system/${name}`);

/** Settings of a host; the service itself is replaced by one that does nothing. */
const host = (settings: string) =>
  `services.gitops = {
    enable = true;
    repository = "https://git.example.org/infra.git";
    ${settings}
  };`;
const nothing =
  "[Unit]\nWants=\nAfter=\n[Service]\nExecStart=\nExecStart=/bin/true\n";

// A minute after the boot is over at once, as on a host that has been up. systemd
// counts from its own start where it is in a container.
const longAgo = `imports = [ ({ lib, ... }: {
  systemd.timers.gitops-sync.timerConfig.OnBootSec = lib.mkForce "1s";
}) ];`;

function test(name: string, fn: (host: UnitHost) => Promise<void>) {
  Deno.test({
    name,
    ignore: refusal !== null,
    fn: async () => {
      await using host = await bootUnitHost();
      host.machine.write(
        "/etc/systemd/system/gitops-sync.service.d/nothing.conf",
        nothing,
      );
      await fn(host);
    },
  });
}

/** A property of the timer in microseconds, as systemd has it on its bus. */
async function property(machine: Machine, name: string): Promise<bigint> {
  const answer = await machine.output([
    ...["busctl", "get-property", "org.freedesktop.systemd1"],
    "/org/freedesktop/systemd1/unit/gitops_2dsync_2etimer",
    ...["org.freedesktop.systemd1.Timer", name],
  ]);
  return BigInt(answer.replace(/^t /, ""));
}

const never = 2n ** 64n - 1n;

/** Microseconds since the computer was started, as timers count them. */
const uptime = () =>
  BigInt(
    Math.ceil(Number(Deno.readTextFileSync("/proc/uptime").split(" ")[0])),
  ) *
  1_000_000n;

/** Waits while a run is at work, which has no next one until it ends. */
async function isWaiting(machine: Machine, when: string): Promise<void> {
  for (;;) {
    const state = await machine.output([
      ...["systemctl", "show", timer],
      "--property=ActiveState,SubState",
      "--value",
    ]);
    if (state === "active\nwaiting") return;
    assertMatch(state, /^active\nrunning$/, when);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** There is a next run, at most this many seconds from now. */
async function comesWithin(machine: Machine, seconds: number, when: string) {
  await isWaiting(machine, when);
  const next = await property(machine, "NextElapseUSecMonotonic");
  assert(next !== never && next > 0n, `${when}: no next run`);
  const wait = next - uptime();
  assert(
    wait <= BigInt(seconds) * 1_000_000n,
    `${when}: the next run comes in ${wait} µs`,
  );
}

const start = ["systemctl", "start", timer];
const stop = ["systemctl", "stop", timer];
const reload = ["systemctl", "daemon-reload"];

/** What may happen to a timer, each with a name. */
const events: readonly [string, readonly (readonly string[])[]][] = [
  ["started late after the boot", [start]],
  ["after a run", [["systemctl", "start", "gitops-sync.service"]]],
  ["disabled and enabled", [
    ["systemctl", "disable", "--now", timer],
    ["systemctl", "enable", "--now", timer],
  ]],
  ["stopped and started", [stop, start]],
  ["reloaded", [reload]],
  ["executed anew", [["systemctl", "daemon-reexec"]]],
  ["the timer removed and returned", [
    stop,
    ["mv", files[0]!, "/root"],
    reload,
    ["mv", "/root/gitops-sync.timer", files[0]!],
    reload,
    start,
  ]],
  ["both removed and returned", [
    stop,
    ["mv", ...files, "/root"],
    reload,
    [
      "mv",
      "/root/gitops-sync.timer",
      "/root/gitops-sync.service",
      "/etc/systemd/system/",
    ],
    reload,
    start,
  ]],
];

/** Runs commands in a machine whose systemd may be away for a moment. */
async function happen(
  machine: Machine,
  commands: readonly (readonly string[])[],
) {
  for (const command of commands) {
    const { code, stderr } = await machine.run(command);
    // The call itself may be cut off by what it asks for.
    if (!command.includes("daemon-reexec")) assertEquals(code, 0, stderr);
    await machine.run(["systemctl", "is-system-running", "--wait"]);
  }
}

test("whatever happens to the timer, a next run comes in time", async ({ machine, install }) => {
  await install(longAgo + host('frequency = "40m";'));
  // What a version with Persistent= has left behind, and made no run come.
  machine.write("/var/lib/systemd/timers/stamp-gitops-sync.timer", "");
  for (const [event, commands] of events) {
    await happen(machine, commands);
    await comesWithin(machine, 41 * 60, event);
  }
});

test("a boot that reaches the timer late runs it at once", async ({ machine, install }) => {
  await install(
    longAgo + 'services.gitops.randomizedDelay = "0";' +
      host('frequency = "40m";'),
  );
  machine.write(
    `/etc/systemd/system/${timer}.d/late.conf`,
    "[Unit]\nAfter=late.service\nWants=late.service\n",
  );
  machine.write(
    "/etc/systemd/system/late.service",
    "[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nExecStart=/bin/sleep 2\n",
  );
  for (const boot of ["first boot", "second boot"]) {
    await machine.powerCut();
    await machine.bootAgain();
    while (await property(machine, "LastTriggerUSec") === 0n) {
      // At once, and not in what is left until the next run.
      await comesWithin(machine, 30, boot);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await comesWithin(machine, 41 * 60, boot);
  }
});

test("with dates a next run comes, also after a clock that was wrong", async ({ machine, install }) => {
  await install(host('dates = [ "04:40" "Mon 12:00 Europe/Berlin" ];'));
  const stamp = "/var/lib/systemd/timers/stamp-gitops-sync.timer";
  machine.write(stamp, "");
  // A live systemd can't be shown another clock here: these are what its clock
  // has left behind, days ahead of it and years behind it.
  for (const lastRun of ["2095-01-01", "2001-01-01"]) {
    for (const [event, commands] of events) {
      await machine.output(["touch", `--date=${lastRun}`, stamp]);
      await happen(machine, commands);
      await comesOnADay(machine, event);
    }
    await happen(machine, [stop]);
  }
});

/** There is a next run, in two days at the latest. */
async function comesOnADay(machine: Machine, when: string): Promise<void> {
  await isWaiting(machine, when);
  const next = await property(machine, "NextElapseUSecRealtime");
  const days = Number(next / 1000n - BigInt(Date.now())) / 86_400_000;
  assert(days <= 2, `${when}: the next run comes in ${days} days`);
}
