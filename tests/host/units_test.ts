import { assertEquals } from "@std/assert";
import type { Command, Finished } from "../../lib/base/effects.ts";
import { lookAtUnits, parseShown } from "../../lib/host/units.ts";

const shown = `Type=notify
Result=exit-code
NRestarts=3
Id=a\\x2db@c.service
RequiredBy=
WantedBy=multi-user.target graphical.target
UpheldBy=keeper.service
BoundBy=
TriggeredBy=a.socket a.timer
LoadState=loaded
ActiveState=activating
SubState=auto-restart
SourcePath=/etc/fstab
InactiveExitTimestampMonotonic=1025926168
Job=17
ConditionResult=no
ConditionTimestampMonotonic=5
AssertResult=no
AssertTimestampMonotonic=0
Transient=no
InvocationID=be33

Id=-.slice
LoadState=loaded
ActiveState=active
SubState=active
Transient=yes
`;

Deno.test("units are read as systemd shows them", () => {
  const [service, slice] = parseShown(shown) ?? [];
  assertEquals(service, {
    name: "a\\x2db@c.service",
    load: "loaded",
    active: "activating",
    sub: "auto-restart",
    result: "exit-code",
    type: "notify",
    remains: false,
    transient: false,
    source: "/etc/fstab",
    restarts: 3,
    invocation: "be33",
    startedAt: 1025926168,
    hasJob: true,
    // It says "no" of what was never looked at, too.
    failedAssertion: false,
    failedCondition: true,
    triggeredBy: ["a.socket", "a.timer"],
    wantedBy: ["multi-user.target", "graphical.target", "keeper.service"],
    requiredBy: [],
    parts: [],
  });
  assertEquals([slice?.name, slice?.transient, slice?.hasJob], [
    "-.slice",
    true,
    false,
  ]);
});

Deno.test("what is no whole answer of systemd is none", async () => {
  const good: Finished = {
    code: 0,
    timedOut: false,
    stdout: new TextEncoder().encode(shown),
    stderr: "",
  };
  const text = (stdout: string) => ({
    ...good,
    stdout: new TextEncoder().encode(stdout),
  });
  const answers: [Finished, number | undefined][] = [
    [good, 2],
    [{ ...good, code: 1 }, undefined],
    [{ ...good, code: 137, timedOut: true }, undefined],
    [text(""), undefined],
    [text("Failed to connect to bus\n"), undefined],
    [text("Id=web.service\nLoadState=loaded\n"), undefined],
  ];
  for (const [answer, count] of answers) {
    const ran: Command[] = [];
    const run = (command: Command) => {
      ran.push(command);
      return Promise.resolve(answer);
    };
    assertEquals((await lookAtUnits({ run }))?.length, count);
    assertEquals(ran.map(({ program }) => program), ["systemctl"]);
  }
});
