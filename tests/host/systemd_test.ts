import { assert, assertEquals } from "@std/assert";
import type { Command, Effects } from "../../lib/base/effects.ts";
import {
  armTimer,
  askUnitEnd,
  lastLines,
  resetFailed,
  runInUnit,
  stopUnits,
  type UnitEnd,
  unitEnd,
} from "../../lib/host/systemd.ts";

/** The whole command line. */
const line = ({ program, args }: Command) => [program, ...args];

/** Effects that give the text as what a program wrote, and keep what was run. */
function answering(stdout: string): { effects: Effects; ran: Command[] } {
  const ran: Command[] = [];
  return {
    ran,
    effects: {
      run: (command) => {
        ran.push(command);
        return Promise.resolve({
          code: 0,
          timedOut: false,
          stdout: new TextEncoder().encode(stdout),
          stderr: "",
        });
      },
      now: () => new Date(0),
      monotonic: () => 0,
      sleep: () => Promise.resolve(),
      tell: () => {},
    },
  };
}

/** Runs `work` with these variables in our environment and no others of ours. */
function withVariables(variables: Record<string, string>, work: () => void) {
  const names = ["LOCALE_ARCHIVE", "NIXOS_INSTALL_BOOTLOADER", "SECRET"];
  const before = names.map((name) => [name, Deno.env.get(name)] as const);
  try {
    names.forEach((name) => Deno.env.delete(name));
    for (const [name, value] of Object.entries(variables)) {
      Deno.env.set(name, value);
    }
    work();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    }
  }
}

Deno.test("an activation runs in a unit of its own, with a limit", () => {
  withVariables({}, () => {
    const command = runInUnit("gitops-sync-x", ["/a/switch", "test"], 900);
    assertEquals(line(command), [
      "systemd-run",
      "--unit=gitops-sync-x",
      "--wait",
      "--service-type=exec",
      "--property=RuntimeMaxSec=900",
      "--property=TimeoutStopSec=10",
      "--property=KillMode=mixed",
      "--",
      "/a/switch",
      "test",
    ]);
    // systemd, not we, ends it.
    assert(command.timeout > 900_000);
    assertEquals(command.shielded, true);
  });
});

Deno.test("the end of a unit is read in the words of old and new versions", () => {
  const table: [
    string,
    string,
    { result: string; code: number } | undefined,
  ][] = [
    [
      "257, in order",
      "Running as unit: u.service; invocation ID: 1\nFinished with result: success\nMain processes terminated with: code=exited, status=0/SUCCESS\n",
      { result: "success", code: 0 },
    ],
    [
      "257, a code",
      "Finished with result: exit-code\nMain processes terminated with: code=exited, status=4/NOPERMISSION\n",
      { result: "exit-code", code: 4 },
    ],
    [
      "257, a signal",
      "Finished with result: signal\nMain processes terminated with: code=killed, status=9/KILL\n",
      { result: "signal", code: 137 },
    ],
    [
      "252, a code",
      "Finished with result: exit-code\nMain processes terminated with: code=exited/status=100\n",
      { result: "exit-code", code: 100 },
    ],
    [
      "252, too slow",
      "Finished with result: timeout\nMain processes terminated with: code=killed/status=TERM\n",
      { result: "timeout", code: 143 },
    ],
    [
      "257, D-Bus was taken away, and it still runs",
      "Running as unit: u.service; invocation ID: 1\nBus call failed due to connection problems. Trying to reconnect...\nFinished with result: success\nCPU time consumed: 8ms\n",
      undefined,
    ],
    [
      "stopped by a person",
      "Finished with result: success\nMain processes terminated with: code=killed, status=15/TERM\n",
      { result: "success", code: 143 },
    ],
    ["ended before it could tell", "Running as unit: u.service\n", undefined],
    [
      "no such program",
      "Failed to find executable /x: No such file or directory\n",
      undefined,
    ],
  ];
  for (const [name, output, expected] of table) {
    assertEquals(unitEnd(output), expected, name);
  }
});

Deno.test("systemd is asked how a unit has ended, and may not know", async () => {
  const shown = (active: string, how = "", status = "") =>
    `LoadState=loaded\nActiveState=${active}\nResult=exit-code\n` +
    `ExecMainCode=${how}\nExecMainStatus=${status}\n`;
  const table: [string, UnitEnd | "active" | undefined][] = [
    [shown("active", "0", "0"), "active"],
    [shown("deactivating", "1", "0"), "active"],
    [shown("inactive", "0", "0"), { result: "success", code: 0 }],
    [shown("failed", "1", "11"), { result: "exit-code", code: 11 }],
    [shown("failed", "2", "9"), { result: "exit-code", code: 137 }],
    ["", undefined],
    ["Failed to connect to bus: Connection refused\n", undefined],
  ];
  for (const [text, expected] of table) {
    const { effects, ran } = answering(text);
    assertEquals(await askUnitEnd(effects, "u.service"), expected, text);
    assertEquals(line(ran[0]!).slice(0, 2), ["systemctl", "show"]);
  }
});

Deno.test("an activation sees two of our variables, by name only", () => {
  withVariables({
    LOCALE_ARCHIVE: "/locales",
    NIXOS_INSTALL_BOOTLOADER: "1",
    SECRET: "hunter2",
  }, () => {
    const args = runInUnit("u", ["x"], 1).args;
    assertEquals(args.filter((arg) => arg.startsWith("--setenv")), [
      "--setenv=LOCALE_ARCHIVE",
      "--setenv=NIXOS_INSTALL_BOOTLOADER",
    ]);
  });
});

Deno.test("a unit has the variables that it is given, with their values", () => {
  const given = { NIXOS_NO_CHECK: "1" };
  withVariables({}, () => {
    for (
      const { args } of [
        runInUnit("u", ["x"], 1, {}, given),
        armTimer("u", ["x"], 1, given),
      ]
    ) {
      assertEquals(args.slice(-3), ["--setenv=NIXOS_NO_CHECK=1", "--", "x"]);
    }
  });
});

Deno.test("the dead-man's switch is a timer of systemd's own", () => {
  const command = armTimer("switch", ["/old/switch", "-x", "test"], 1200);
  assertEquals(line(command), [
    "systemd-run",
    "--unit=switch",
    "--collect",
    "--quiet",
    "--on-active=1200s",
    "--timer-property=AccuracySec=1s",
    "--service-type=oneshot",
    '--property=ExecStartPre=-/usr/bin/env PATH=/run/current-system/sw/bin:/usr/bin:/bin sh -c "systemctl is-active --quiet dbus.socket || { systemctl start dbus.socket; systemctl restart systemd-logind.service; }"',
    "--",
    "/old/switch",
    "-x",
    "test",
  ]);
  assertEquals(command.shielded, true);
});

Deno.test("units are stopped and cleared by name, whatever the name", () => {
  assertEquals(line(stopUnits("a.timer", "-b")), [
    "systemctl",
    "stop",
    "--",
    "a.timer",
    "-b",
  ]);
  assertEquals(line(resetFailed("a.service")), [
    "systemctl",
    "reset-failed",
    "--",
    "a.service",
  ]);
});

Deno.test("the journal's last lines come without control characters", async () => {
  const { effects, ran } = answering("one\n\u001b[31mtwo\u001b[0m\nthree\n");
  assertEquals(await lastLines(effects, "web.service", 2), ["two", "three"]);
  assertEquals(line(ran[0]!), [
    "journalctl",
    "--unit=web.service",
    "--lines=2",
    "--output=cat",
    "--no-pager",
    "--quiet",
    "--boot",
  ]);
});
