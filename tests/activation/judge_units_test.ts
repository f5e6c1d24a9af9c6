import { assertEquals } from "@std/assert";
import type { UnitState } from "../../lib/host/units.ts";
import {
  type Grounds,
  isIgnored,
  judgeUnits,
} from "../../lib/activation/judge_units.ts";
import { beforeOf } from "../../lib/activation/units.ts";
import { nothingSaid, readSwitch } from "../../lib/activation/switch_words.ts";
import { noStanding } from "../../lib/run/standing.ts";

/** A daemon of the system that runs, with what is said of it in a test. */
function unit(name: string, more: Partial<UnitState> = {}): UnitState {
  return {
    name,
    load: "loaded",
    active: "active",
    sub: "running",
    result: "success",
    type: name.endsWith(".service") ? "simple" : "",
    remains: false,
    transient: false,
    source: "",
    restarts: 0,
    invocation: "new",
    startedAt: 1,
    hasJob: false,
    failedAssertion: false,
    failedCondition: false,
    triggeredBy: [],
    wantedBy: ["multi-user.target"],
    requiredBy: [],
    parts: [],
    ...more,
  };
}

const target = unit("multi-user.target", { wantedBy: [] });
const gone = { active: "inactive", sub: "dead" };
const failed = { active: "failed", sub: "failed", result: "exit-code" };

/** What is found of `web.service`, which ran before and has changed. */
function found(
  more: Partial<UnitState>,
  grounds: Partial<Grounds> = {},
  others: readonly UnitState[] = [],
): string {
  const { problems, starting, coincidences } = judgeUnits(
    [unit("web.service", more), target, ...others],
    {
      ...noStanding.units,
      ran: new Map([["web.service", "old"], ["multi-user.target", "old"]]),
      isInstalled: (name) => name !== "nightly.service",
      isChanged: (name) => name === "web.service",
      ignored: [],
      said: nothingSaid,
      ...grounds,
    },
  );
  return [
    ...problems.map(({ kind }) => kind),
    ...starting.map(() => "waited for"),
    ...coincidences.map(() => "told"),
  ].join();
}

const said = (...lines: string[]) => ({ said: readSwitch(lines, 4) });
const socket = unit("web.socket", { wantedBy: ["sockets.target"] });

Deno.test("what ran and is wanted has to run, whatever the reason", () => {
  const table: [string, Partial<UnitState>, Partial<Grounds>?, UnitState[]?][] =
    [
      ["", {}],
      ["failed", failed],
      ["stopped", gone],
      ["stopped", { ...gone, type: "oneshot", remains: true }],
      ["", { ...gone, type: "oneshot" }],
      ["stopped", { ...gone, type: "oneshot", result: "exit-code" }],
      ["", { ...gone, failedCondition: true }],
      ["assertion", { ...gone, failedAssertion: true }],
      ["", { ...gone, load: "masked" }],
      ["not-loaded", { ...gone, load: "bad-setting" }],
      ["not-loaded", { load: "bad-setting" }],
      // The system has a link for it, and no file.
      ["not-loaded", { ...gone, load: "not-found" }],
      ["", { ...gone, load: "not-found" }, { isInstalled: () => false }],
      // Nothing that is there wants it any more.
      ["", { ...gone, wantedBy: [] }],
      ["", { ...gone, wantedBy: ["sound.target"] }],
      ["", { ...gone, load: "bad-setting", wantedBy: [] }],
      [
        "not-loaded",
        {
          ...gone,
          load: "not-found",
          wantedBy: [],
          requiredBy: ["db.service"],
        },
        { isInstalled: (name) => name === "db.service" },
        [
          unit("db.service"),
        ],
      ],
      // Nor does what wanted it want to run itself.
      ...[[], ["multi-user.target"]].map((
        wantedBy,
      ): [string, Partial<UnitState>, Partial<Grounds>, UnitState[]] => [
        wantedBy.length === 0 ? "" : "stopped,stopped",
        { ...gone, wantedBy: [], requiredBy: ["db.service"] },
        { ran: new Map([["web.service", ""], ["db.service", ""]]) },
        [unit("db.service", { ...gone, wantedBy })],
      ]),
      // A socket starts it on demand, as long as it is there.
      ["", { ...gone, triggeredBy: ["web.socket"] }, {}, [socket]],
      ["stopped", { ...gone, triggeredBy: ["web.socket"] }],
      ["waited for", { active: "activating", sub: "auto-restart" }],
      ["waited for", { active: "deactivating" }],
      ["waited for", { ...gone, hasJob: true }],
    ];
  for (const [expected, ...given] of table) {
    assertEquals(found(...given), expected, JSON.stringify(given));
  }
});

Deno.test("nobody is blamed for what was so before, for chance, or for others", () => {
  const starting = { active: "activating", sub: "start" };
  const timed = { triggeredBy: ["web.timer"] };
  const unchanged = { isChanged: () => false };
  const none: Partial<Grounds> = { ...unchanged, ran: new Map() };
  const handled = said("starting the following units: web.service, x.service");
  const table: [string, Partial<UnitState>, Partial<Grounds>][] = [
    ["told", failed, { failed: new Set(["web.service"]) }],
    // It was not there before, and another unit named it.
    ["failed", failed, { ran: new Map(), absent: new Set(["web.service"]) }],
    ["", { ...gone, load: "not-found" }, {
      ran: new Map(),
      absent: new Set(["web.service"]),
    }],
    ["not-loaded", { ...gone, load: "not-found" }, {
      ran: new Map(),
      absent: new Set(),
    }],
    ["", failed, { ignored: ["web.*"] }],
    ["told", failed, { isInstalled: () => false }],
    ["told", { ...failed, transient: true }, {}],
    ["", starting, { isInstalled: () => false }],
    ["", starting, { starting: new Set(["web.service"]) }],
    ["waited for", starting, {
      starting: new Set(["web.service"]),
      ...handled,
    }],
    // A job that a timer set off beside the switch.
    ["told", { ...failed, ...timed }, none],
    ["told", { ...failed, ...timed }, unchanged],
    ["", { ...starting, ...timed }, none],
    // The same that the candidate changed, or that the switch started.
    ["failed", { ...failed, ...timed }, {}],
    ["failed", { ...failed, ...timed }, { ...none, ...handled }],
    // Nothing wants it: somebody asked for it by hand or over D-Bus.
    ["told", { ...failed, wantedBy: [] }, none],
    ["", { ...starting, wantedBy: [] }, none],
    ["", { ...starting, wantedBy: [] }, {}],
    ["waited for", { ...starting, wantedBy: [] }, handled],
    ["failed", { ...failed, wantedBy: [] }, { ran: new Map() }],
    ["failed", { ...failed, wantedBy: [] }, { ...none, ...handled }],
    ["failed", { ...failed, wantedBy: [] }, unchanged],
    // A request to a socket that fails, and a daemon that has one.
    ["told", { ...failed, triggeredBy: ["web.socket"] }, none],
    ["failed", { ...failed, triggeredBy: ["web.socket"] }, unchanged],
    // One that did not run, and that nothing sets off, was started by it.
    ["failed", failed, none],
    ["failed", { ...failed, source: "/etc/fstab" }, {
      isInstalled: () => false,
    }],
  ];
  for (const [expected, ...given] of table) {
    assertEquals(found(...given), expected, JSON.stringify(given));
  }
});

Deno.test("what the switch could not handle is not well, unless it came up since", () => {
  const table: [string, string, Partial<UnitState>, Partial<Grounds>?][] = [
    ["named", "Failed to reload web.service", {}],
    ["named", "Failed to stop web.service", {}],
    ["", "Failed to start web.service", {}],
    ["named", "Failed to restart web.service", { invocation: "old" }],
    ["named", "Failed to start web.service: refused", gone],
    ["", "Failed to start web.service", { ...gone, failedCondition: true }],
    ["named", "Failed to restart typo.service", {}],
    ["", "Failed to stop typo.service: Unit typo.service not loaded.", {}],
    ["", "Failed to reload web.service", {}, {
      failed: new Set(["web.service"]),
    }],
    ["", "Failed to reload web.service", {}, { ignored: ["web.service"] }],
    ["user", "user activation for ada failed", {}],
    ["", "user activation for ada failed", {}, {
      ignored: ["user@ada.service"],
    }],
    ["", "Failed to start the engine", {}],
  ];
  for (const [expected, line, more, grounds] of table) {
    assertEquals(found(more, { ...said(line), ...grounds }), expected, line);
  }
});

Deno.test("the words of a switch name units and users", () => {
  const { failed, users, listed, handled } = readSwitch([
    "stopping the following units: old.service",
    "restarting the following units: a.service, b@1.service",
    "Failed to restart b@1.service",
    "reloading user units for ada...",
    "user activation for ada failed",
    "warning: the following units failed: a.service, c.timer",
    "Failed to connect to bus: no.such thing",
  ], 4);
  assertEquals([...failed], [[
    "b@1.service",
    "Failed to restart b@1.service",
  ]]);
  assertEquals([...users.keys()], ["ada"]);
  assertEquals(listed, ["a.service", "c.timer"]);
  assertEquals([...handled], ["a.service", "b@1.service"]);
  // An activation script may write the same where nothing went wrong.
  const stray = readSwitch(["Failed to reload a.service: not loaded."], 0);
  assertEquals(stray, nothingSaid);
});

Deno.test("a unit is ignored by its whole name or a pattern", () => {
  const table: [string, string, boolean][] = [
    ["web.service", "web.service", true],
    ["web.service", "web", false],
    ["web.service", "web.*", true],
    ["web.service", "*", true],
    ["web.service", "we?.service", true],
    ["web.service", "we?service", false],
    ["webXservice", "web.service", false],
    ["a@[1].service", "a@[1].service", true],
    ["a@1.service", "a@[1].service", false],
    ["x-web.service", "web.service", false],
  ];
  for (const [name, pattern, expected] of table) {
    assertEquals(isIgnored(name, [pattern]), expected, `${name} ${pattern}`);
  }
});

Deno.test("a unit that was only named before did not fail before", () => {
  const { failed: ill, absent } = beforeOf([
    unit("web.service", { ...gone, load: "not-found" }),
    unit("db.service", { ...gone, load: "bad-setting" }),
  ]);
  assertEquals([...ill], ["db.service"]);
  assertEquals([...absent ?? []], ["web.service"]);
});
