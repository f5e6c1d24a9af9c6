import { assert, assertEquals } from "@std/assert";
import type {
  Backoff,
  Deployment,
  Hold,
  State,
  Target,
} from "../../lib/state/state.ts";
import {
  backoffAfter,
  decide,
  type Decision,
  type Drift,
  driftOf,
  rebootOf,
  sameTarget,
  type Situation,
} from "../../lib/run/decide.ts";
import type { Systems } from "../../lib/host/system.ts";

const old = "a".repeat(40), tip = "b".repeat(40), other = "c".repeat(40);
const good = "/nix/store/good", bad = "/nix/store/by-hand";
const now = new Date("2024-01-01T12:00:00Z");
const later = "2024-01-01T12:00:01Z", earlier = "2024-01-01T11:59:59Z";

const target: Target = {
  repository: "file:///srv/infra",
  ref: "main",
  directory: "",
  host: "web",
  operation: "switch",
};

const deployed = (
  revision: string,
  changes: Partial<Target> = {},
): Deployment => ({
  revision,
  subject: "",
  author: "",
  committedAt: earlier,
  target: { ...target, ...changes },
  system: good,
  at: earlier,
});

const hold = (revision: string, reason = "builder-failed"): Hold => ({
  revision,
  target,
  stage: "build",
  reason,
  message: "no",
  hints: [],
  since: earlier,
});

const pause = (revision: string, notBefore = later): Backoff => ({
  revision,
  failures: 3,
  notBefore,
});

const inOrder: Systems = { running: good, bootDefault: good };
const byHand: Systems = { running: bad, bootDefault: good };
const drift: Drift = {
  what: "running system",
  expected: good,
  actual: bad,
};

/** A situation: `tip` is named, nothing was deployed, nothing stands in the way. */
function situation(
  changes: Partial<Omit<Situation, "state" | "config">> & {
    state?: Partial<State>;
    config?: Partial<Situation["config"]>;
  } = {},
): Situation {
  return {
    tip: { revision: tip, kind: "branch", name: "refs/heads/main" },
    systems: inOrder,
    target,
    now,
    force: false,
    ...changes,
    state: { version: 1, earlier: [], holds: [], ...changes.state },
    config: {
      drift: "report",
      allowForcePush: false,
      "windows.deploy": [],
      approval: "none",
      ...changes.config,
    },
  };
}

/** What stands in the way of the tip. */
const obstacles = {
  none: {},
  hold: { holds: [hold(tip)] },
  pause: { backoff: pause(tip) },
  both: { holds: [hold(tip)], backoff: pause(tip) },
} satisfies Record<string, Partial<State>>;

Deno.test("every combination of facts has its decision", () => {
  // deployed? → obstacle → what is done; with a drift that is to be corrected
  // the host is put in order instead, unless something new is deployed.
  const table: [
    was: "nothing" | "old" | "tip",
    obstacle: keyof typeof obstacles,
    expected: "deploy" | "nothing" | "held" | "wait",
    forced: "deploy" | "nothing" | "held" | "wait",
  ][] = [
    ["nothing", "none", "deploy", "deploy"],
    ["nothing", "hold", "held", "held"],
    ["nothing", "pause", "wait", "deploy"],
    ["nothing", "both", "held", "held"],
    ["old", "none", "deploy", "deploy"],
    ["old", "hold", "held", "held"],
    ["old", "pause", "wait", "deploy"],
    ["old", "both", "held", "held"],
    ["tip", "none", "nothing", "nothing"],
    ["tip", "hold", "held", "held"],
    ["tip", "pause", "nothing", "nothing"],
    ["tip", "both", "held", "held"],
  ];
  for (const [was, obstacle, unforced, forced] of table) {
    for (const force of [false, true]) {
      for (const policy of ["report", "correct"] as const) {
        for (const systems of [inOrder, byHand]) {
          const lastGood = was === "nothing"
            ? {}
            : { lastGood: deployed(was === "old" ? old : tip) };
          const decision = decide(situation({
            state: { ...lastGood, ...obstacles[obstacle] },
            config: { drift: policy },
            systems,
            force,
          }));
          const expected = force ? forced : unforced;
          const drifted = systems === byHand && was !== "nothing";
          const isHeldItself = was === "tip" && "holds" in obstacles[obstacle];
          const corrects = drifted && policy === "correct" &&
            expected !== "deploy" && !isHeldItself;
          const what = JSON.stringify({
            was,
            obstacle,
            force,
            policy,
            drifted,
          });
          assertEquals(decision.kind, corrects ? "correct" : expected, what);
          if (expected === "deploy") continue;
          assertEquals(
            "drift" in decision ? decision.drift : undefined,
            drifted ? drift : undefined,
            what,
          );
        }
      }
    }
  }
});

Deno.test("a correction puts the last good system back", () => {
  const lastGood = deployed(tip);
  assertEquals(
    decide(situation({
      state: { lastGood },
      config: { drift: "correct" },
      systems: byHand,
    })),
    { kind: "correct", drift, deployment: lastGood },
  );
});

Deno.test("a last good system whose correction failed is not tried again", () => {
  const decision = decide(situation({
    state: { lastGood: deployed(old), holds: [hold(old), hold(tip)] },
    config: { drift: "correct" },
    systems: byHand,
  }));
  assertEquals(decision, { kind: "held", hold: hold(tip), drift });
});

Deno.test("the same revision for another target is deployed", () => {
  const changes: Partial<Target>[] = [
    { repository: "file:///srv/other" },
    { ref: "stable" },
    { directory: "hosts" },
    { host: "mail" },
    { operation: "boot" },
  ];
  for (const change of changes) {
    const state = { lastGood: deployed(tip, change) };
    assertEquals(decide(situation({ state })), { kind: "deploy" });
  }
});

Deno.test("holds and pauses are about their own revision", () => {
  const state = {
    lastGood: deployed(old),
    holds: [hold(other), hold(old)],
    backoff: pause(other),
  };
  assertEquals(decide(situation({ state })), { kind: "deploy" });
});

Deno.test("a hold is found among several, and told", () => {
  const state = { holds: [hold(other), hold(tip, "not-a-system")] };
  assertEquals(decide(situation({ state })), {
    kind: "held",
    hold: hold(tip, "not-a-system"),
  });
});

Deno.test("a pause ends at its time, not after it", () => {
  const table: [string, "wait" | "deploy"][] = [
    [later, "wait"],
    [now.toISOString(), "deploy"],
    [earlier, "deploy"],
    ["broken", "deploy"],
    // The longest pause there is; a longer one is of a clock that was wrong.
    ["2024-01-01T13:12:00Z", "wait"],
    ["2024-01-01T13:12:01Z", "deploy"],
    ["2038-01-01T00:00:00Z", "deploy"],
  ];
  for (const [notBefore, kind] of table) {
    const state = { backoff: pause(tip, notBefore) };
    assertEquals(decide(situation({ state })).kind, kind, notBefore);
  }
});

Deno.test("allowing a rewritten history lifts the hold of one, and no other", () => {
  const table: [string, boolean, "held" | "deploy"][] = [
    ["not-forward", false, "held"],
    ["not-forward", true, "deploy"],
    ["builder-failed", false, "held"],
    ["builder-failed", true, "held"],
  ];
  for (const [reason, allowForcePush, kind] of table) {
    const decision = decide(situation({
      state: { lastGood: deployed(old), holds: [hold(tip, reason)] },
      config: { allowForcePush },
    }));
    assertEquals(decision.kind, kind, `${reason} ${allowForcePush}`);
  }
});

Deno.test("outside of its windows a host is not changed, and nothing else", () => {
  const shut = { "windows.deploy": ["deny Mon-Sun"] };
  const opens = { "windows.deploy": ["Mon 12:30-13:00 UTC"] };
  const lastGood = deployed(old), done = deployed(tip);
  const build = { ...target, operation: "build" as const };
  const correct = { drift: "correct" as const };
  const table: [string, Decision, Parameters<typeof situation>[0]][] = [
    ["deploy", { kind: "outside", opening: null }, { config: shut }],
    ["it opens", { kind: "outside", opening: "2024-01-01T12:30:00.000Z" }, {
      config: opens,
    }],
    ["it is open", { kind: "deploy" }, {
      config: opens,
      now: new Date("2024-01-01T12:30:00Z"),
    }],
    ["correct", { kind: "outside", opening: null, drift }, {
      config: { ...shut, ...correct },
      state: { lastGood: done },
      systems: byHand,
    }],
    ["deploy over a drift", { kind: "outside", opening: null, drift }, {
      config: shut,
      state: { lastGood },
      systems: byHand,
    }],
    ["nothing", { kind: "nothing" }, {
      config: shut,
      state: { lastGood: done },
    }],
    ["build", { kind: "deploy" }, { config: shut, target: build }],
    ["held", { kind: "held", hold: hold(tip) }, {
      config: shut,
      state: { holds: [hold(tip)] },
    }],
    ["wait", { kind: "wait", backoff: pause(tip) }, {
      config: shut,
      state: { backoff: pause(tip) },
    }],
  ];
  for (const [what, expected, changes] of table) {
    assertEquals(decide(situation(changes)), expected, what);
  }
});

Deno.test("a reboot is due into a confirmed system, once, if it is wanted", () => {
  const asked: NonNullable<State["reboot"]> = {
    at: earlier,
    bootId: "1",
    revision: tip,
    system: good,
    why: ["kernel"],
    booted: bad,
    before: { failed: [], starting: [], routes: [] },
    isWayBack: false,
  };
  type Facts = {
    policy?: "never" | "always";
    state?: Partial<State>;
    systems?: Systems;
    changed?: string[];
    booted?: string | null;
    windows?: string[];
  };
  const due = { why: ["kernel"] };
  const boot = { lastGood: deployed(tip, { operation: "boot" }) };
  const table: [string, Facts, ReturnType<typeof rebootOf>][] = [
    ["needed", {}, due],
    ["not wanted", { policy: "never" }, undefined],
    ["not needed", { changed: [] }, undefined],
    ["always, and other", { policy: "always", changed: [] }, {
      why: ["the system"],
    }],
    ["always, and needed", { policy: "always" }, due],
    ["always, and booted", {
      policy: "always",
      changed: [],
      booted: good,
    }, undefined],
    ["nothing was confirmed", { state: {} }, undefined],
    ["it is not known what was booted", { booted: null }, undefined],
    ["somebody switched by hand", { systems: byHand }, undefined],
    ["the boot default is another", {
      systems: { running: good, bootDefault: bad },
    }, undefined],
    ["a test does not survive it", {
      state: { lastGood: deployed(tip, { operation: "test" }) },
    }, undefined],
    ["what was built does not run", {
      state: { lastGood: deployed(tip, { operation: "build" }) },
    }, undefined],
    ["boot has no other way", {
      state: boot,
      changed: [],
      systems: { running: bad, bootDefault: good },
    }, { why: ["the system"] }],
    ["boot that was booted", {
      state: boot,
      changed: [],
      booted: good,
    }, undefined],
    ["it went well", {
      state: {
        lastGood: deployed(tip),
        reboot: { ...asked, result: "well" },
      },
    }, undefined],
    ["it failed", {
      state: {
        lastGood: deployed(tip),
        reboot: { ...asked, result: "failed" },
      },
    }, undefined],
    ["another failed", {
      state: {
        lastGood: deployed(tip),
        reboot: { ...asked, system: bad, result: "failed" },
      },
    }, due],
    ["in no window", { windows: ["Mon 13:00-14:00 UTC"] }, {
      ...due,
      opening: "2024-01-01T13:00:00.000Z",
    }],
    ["in a window", { windows: ["Mon 12:00-14:00 UTC"] }, due],
    ["never in a window", { windows: ["deny Mon-Sun"] }, {
      ...due,
      opening: null,
    }],
  ];
  for (const [what, facts, expected] of table) {
    const { state, systems } = situation({
      state: facts.state ?? { lastGood: deployed(tip) },
      ...facts.systems ? { systems: facts.systems } : {},
    });
    const config = {
      reboot: facts.policy ?? "when-needed" as const,
      "windows.reboot": facts.windows ?? [],
    };
    const found = rebootOf(
      { state, systems, config, now },
      facts.changed ?? ["kernel"],
      facts.booted === undefined ? bad : facts.booted,
    );
    assertEquals(found, expected, what);
  }
});

Deno.test("drift is what the operation has set and another has changed", () => {
  const others: [
    Systems,
    Drift["what"] | undefined,
    Drift["what"] | undefined,
  ][] = [
    [{ running: good, bootDefault: good }, undefined, undefined],
    [{ running: bad, bootDefault: good }, "running system", undefined],
    [{ running: good, bootDefault: bad }, undefined, "boot default"],
    [{ running: bad, bootDefault: bad }, "running system", "boot default"],
    [{ running: null, bootDefault: null }, "running system", "boot default"],
  ];
  for (const [systems, running, boots] of others) {
    const expected: Record<Target["operation"], Drift["what"] | undefined> = {
      switch: running ?? boots,
      test: running,
      boot: boots,
      build: undefined,
    };
    for (const [operation, what] of Object.entries(expected)) {
      const lastGood = deployed(tip, {
        operation: operation as Target["operation"],
      });
      const found = driftOf(lastGood, systems);
      assertEquals(
        found,
        what && {
          what,
          expected: good,
          actual: what === "running system"
            ? systems.running
            : systems.bootDefault,
        },
        `${operation} ${JSON.stringify(systems)}`,
      );
    }
  }
});

Deno.test("a bootloader that starts another system is drift, where it matters", () => {
  const misled = { loader: "GRUB", system: bad } as const;
  const drift = { what: "boot entry", expected: good, actual: bad } as const;
  for (const operation of ["switch", "boot", "test", "build"] as const) {
    const matters = operation === "switch" || operation === "boot";
    assertEquals(
      driftOf(deployed(tip, { operation }), inOrder, misled),
      matters ? drift : undefined,
    );
  }
  const { kind } = decide(situation({
    state: { lastGood: deployed(tip) },
    misled,
    config: { drift: "correct" },
  }));
  assertEquals(kind, "correct");
});

Deno.test("a host on which nothing was deployed can't drift", () => {
  assertEquals(driftOf(undefined, byHand), undefined);
});

Deno.test("two targets are the same if every part is", () => {
  assert(sameTarget(target, { ...target }));
  const others: { [K in keyof Target]: Target[K] } = {
    repository: "file:///srv/other",
    ref: "stable",
    directory: "hosts",
    host: "mail",
    operation: "test",
  };
  for (const [part, value] of Object.entries(others)) {
    assert(!sameTarget(target, { ...target, [part]: value }), part);
  }
});

Deno.test("the pause grows from none to an hour, a fifth more or less", () => {
  const minute = 60_000;
  const table: [failures: number, middle: number][] = [
    [0, 0],
    [1, 0],
    [2, minute],
    [3, 2 * minute],
    [4, 4 * minute],
    [7, 32 * minute],
    [8, 60 * minute],
    [9, 60 * minute],
    [2000, 60 * minute],
  ];
  for (const [failures, middle] of table) {
    assertEquals(backoffAfter(failures, 0), middle * 0.8, String(failures));
    assertEquals(backoffAfter(failures, 0.5), middle, String(failures));
    assertEquals(backoffAfter(failures, 1), middle * 1.2, String(failures));
  }
});
