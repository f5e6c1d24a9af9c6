import { assert, assertEquals, assertMatch } from "@std/assert";
import { clockRefusal, giveClock } from "../machine/clock.ts";
import { Machine } from "../machine/machine.ts";
import { bootUnitHost, type UnitHost } from "./unit_host.ts";

const refusal = await Machine.refusal();
if (refusal) console.log(`the timer is not tested here: ${refusal}`);
const noClock = await clockRefusal();
if (noClock) console.log(`no clock jumps here: ${noClock}`);

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

function test(
  name: string,
  fn: (host: UnitHost) => Promise<void>,
  ignore = refusal !== null,
) {
  Deno.test({
    name,
    ignore,
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

/** A property of a timer in microseconds, as systemd has it on its bus. */
async function property(
  machine: Machine,
  name: string,
  unit = "gitops_2dsync",
): Promise<bigint> {
  const answer = await machine.output([
    ...["busctl", "get-property", "org.freedesktop.systemd1"],
    `/org/freedesktop/systemd1/unit/${unit}_2etimer`,
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

/** Waits until something is so; a minute and more, on a busy computer too. */
async function until(what: string, isSo: () => Promise<boolean>) {
  for (let i = 0; !await isSo(); i++) {
    assert(i < 2000, `still not so: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Waits while a run is at work, which has no next one until it ends. */
async function isWaiting(machine: Machine, when: string): Promise<void> {
  await until(`the timer waits, ${when}`, async () => {
    const state = await machine.output([
      ...["systemctl", "show", timer],
      "--property=ActiveState,SubState",
      "--value",
    ]);
    assertMatch(state, /^active\n(running|waiting)$/, when);
    return state.endsWith("waiting");
  });
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
    // That is waited for much shorter than until the next run.
    await until(
      `it runs, ${boot}`,
      async () => await property(machine, "LastTriggerUSec") > 0n,
    );
    await comesWithin(machine, 41 * 60, boot);
  }
});

test("with dates a next run comes, also after a clock that was wrong", async ({ machine, install }) => {
  await install(host('dates = [ "04:40" "Mon 12:00 Europe/Berlin" ];'));
  const stamp = "/var/lib/systemd/timers/stamp-gitops-sync.timer";
  machine.write(stamp, "");
  for (const lastRun of ["2095-01-01", "2001-01-01"]) {
    for (const [event, commands] of events) {
      await machine.output(["touch", `--date=${lastRun}`, stamp]);
      await happen(machine, commands);
      await comesOnADay(machine, event);
    }
    await happen(machine, [stop]);
  }
});

/** There is a next run, in two days at the latest by a clock that is ahead. */
async function comesOnADay(machine: Machine, when: string, ahead = 0) {
  await isWaiting(machine, when);
  const days = await daysUntilNext(machine, ahead);
  assert(days >= -0.1 && days <= 2, `${when}: it comes in ${days} days`);
}

async function daysUntilNext(machine: Machine, ahead: number, unit?: string) {
  const next = await property(machine, "NextElapseUSecRealtime", unit);
  const now = BigInt(Date.now() + ahead * 1000);
  return Number(next / 1000n - now) / 86_400_000;
}

const day = 86_400;

test(
  "a clock that jumps takes no next run away",
  async ({ machine, install }) => {
    const setClock = await giveClock(machine);
    // What shows that systemd has seen the clock jump.
    machine.write(
      "/etc/systemd/system/witness.timer",
      "[Timer]\nOnCalendar=daily\n",
    );
    machine.write(
      "/etc/systemd/system/witness.service",
      "[Service]\nType=oneshot\nExecStart=/bin/true\n",
    );
    for (const dates of [false, true]) {
      setClock(0);
      await install(host(dates ? 'dates = "04:40";' : 'frequency = "40m";'));
      await happen(machine, [["systemctl", "start", "witness.timer"], start]);
      for (const ahead of [400 * day, -400 * day, 600, 0]) {
        setClock(ahead);
        const when = `${ahead} s ahead`;
        await until(
          `systemd sees the clock ${when}`,
          async () =>
            Math.abs(await daysUntilNext(machine, ahead, "witness")) < 2,
        );
        for (const command of [[], [["systemctl", "daemon-reexec"]]]) {
          await happen(machine, command);
          if (dates) await comesOnADay(machine, when, ahead);
          else await comesWithin(machine, 41 * 60, when);
        }
      }
      await happen(machine, [stop]);
    }
  },
  (refusal ?? noClock) !== null,
);
