/** Rollbacks that last, approval and testing branches, as they are decided. */
import { assertEquals } from "@std/assert";
import type { Approval } from "../../lib/config/schema.ts";
import type { Systems } from "../../lib/host/system.ts";
import { anchored, waitFor, wantedOf } from "../../lib/run/approval.ts";
import { decide, type Situation } from "../../lib/run/decide.ts";
import { rolledFurther } from "../../lib/run/rolled_back.ts";
import { stopsOf } from "../../lib/run/stops.ts";
import { standsAs } from "../../lib/run/testing.ts";
import type {
  Deployment,
  Hold,
  State,
  Target,
  Testing,
  Waiting,
} from "../../lib/state/state.ts";

const old = "a".repeat(40), main = "b".repeat(40), idea = "c".repeat(40);
const good = "/nix/store/good", tried = "/nix/store/tried";
const now = new Date("2026-01-01T12:00:00Z");
const before = "2026-01-01T11:45:00.000Z";
const branch = "refs/heads/testing/web";

const target: Target = {
  repository: "file:///srv/infra",
  ref: "main",
  directory: "",
  host: "web",
  operation: "switch",
};
const testTarget: Target = { ...target, ref: branch, operation: "test" };

const commit = { subject: "", author: "", committedAt: before };

const deployed = (revision: string, system = good): Deployment => ({
  ...commit,
  revision,
  target,
  system,
  at: before,
});

const waiting = (changes: Partial<Waiting> = {}): Waiting => ({
  ...commit,
  revision: main,
  target,
  system: tried,
  since: before,
  ...changes,
});

const hold = (revision: string, of = target): Hold => ({
  revision,
  target: of,
  stage: "build",
  reason: "builder-failed",
  message: "no",
  hints: [],
  since: before,
});

const rolledBack = { by: "ada", at: before, system: good };
const inOrder: Systems = { running: good, bootDefault: good };

interface Given {
  state?: Partial<State>;
  config?: Partial<Situation["config"]>;
  /** The testing branch; none was asked for without it. */
  testing?: string | null;
  systems?: Systems;
}

function decided({ state, config, testing, systems = inOrder }: Given) {
  return decide({
    tip: {
      revision: main,
      kind: "branch",
      name: "refs/heads/main",
      ...testing === undefined ? {} : {
        testing: testing === null
          ? null
          : { revision: testing, kind: "branch", name: branch },
      },
    },
    state: { version: 1, earlier: [], holds: [], ...state },
    systems,
    target,
    config: {
      drift: "report",
      allowForcePush: false,
      "windows.deploy": [],
      approval: "none",
      ...config,
    },
    now,
    force: false,
  });
}

Deno.test("a rollback that lasts comes before whatever Git has", () => {
  const state = { lastGood: deployed(old), rolledBack };
  const shut = { "windows.deploy": ["deny Mon-Sun"] };
  const table: [Given, string][] = [
    [{ state }, "rolled-back"],
    [{ state: { ...state, holds: [hold(main)] } }, "rolled-back"],
    [{ state, config: { approval: "manual" } }, "rolled-back"],
    [{ state, testing: idea }, "rolled-back"],
    [{ state, config: shut }, "rolled-back"],
    // Also back to what Git names, or to what it comes to later.
    [{ state: { ...state, lastGood: deployed(main) } }, "rolled-back"],
    // Something else was confirmed since.
    [{ state: { ...state, lastGood: deployed(old, tried) } }, "deploy"],
    [{ state: { rolledBack } }, "deploy"],
  ];
  for (const [given, kind] of table) {
    assertEquals(decided(given).kind, kind, JSON.stringify(given));
  }
  const byHand: Systems = { running: tried, bootDefault: good };
  const told = decided({ state, systems: byHand });
  assertEquals("drift" in told && told.drift?.actual, tried);
  const corrects = { state, systems: byHand, config: { drift: "correct" } };
  assertEquals(decided(corrects as Given).kind, "correct");
});

Deno.test("what waits for a person waits, and nothing else does", () => {
  const lastGood = deployed(old);
  const approved = { by: "ada", at: before };
  const shut = { "windows.deploy": ["deny Mon-Sun"] };
  const table: [Approval, Partial<Waiting> | undefined, string, object?][] = [
    ["none", undefined, "deploy"],
    ["none", {}, "deploy"],
    // Not built yet: that needs no word, and no window.
    ["manual", undefined, "deploy"],
    ["manual", undefined, "deploy", shut],
    ["manual", {}, "unapproved"],
    ["manual", {}, "unapproved", shut],
    ["manual", { approved }, "deploy"],
    ["manual", { approved }, "outside", shut],
    ["manual", { revision: idea, approved }, "deploy"],
    ["manual", { target: testTarget, approved }, "deploy"],
    [16 * 60_000, {}, "unapproved"],
    [15 * 60_000, {}, "deploy"],
    [15 * 60_000, {}, "outside", shut],
    [16 * 60_000, { approved }, "deploy"],
  ];
  for (const [approval, changes, kind, more] of table) {
    const state = { lastGood, ...changes && { waiting: waiting(changes) } };
    const config = { approval, ...more };
    assertEquals(
      decided({ state, config }).kind,
      kind,
      JSON.stringify({ approval, changes, more }),
    );
  }
  const timed = decided({
    state: { lastGood, waiting: waiting() },
    config: { approval: 1_800_000 },
  });
  assertEquals(
    timed.kind === "unapproved" && timed.until,
    "2026-01-01T12:15:00.000Z",
  );
});

Deno.test("an approval is for what is signed and for what was built", () => {
  const approved = { by: "ada", at: before };
  const state = { waiting: waiting({ digest: "d", approved }) };
  const asks = (known: object, system?: string, of = target) =>
    waitFor(
      { approval: "manual" },
      state,
      { revision: main, ...known },
      of,
      now,
      system,
    );
  assertEquals(asks({}), undefined);
  assertEquals(asks({ revision: idea, digest: "d" }, tried), undefined);
  assertEquals(asks({ revision: idea }), { until: null });
  assertEquals(asks({}, good), { until: null });
  assertEquals(asks({}, tried, testTarget), { until: null });
  const build: Target = { ...target, operation: "build" };
  assertEquals(asks({ revision: idea }, undefined, build), undefined);
});

Deno.test("a wait lasts as long as it says, whatever is done to the clock", () => {
  const clock = { boot: "one", uptime: 1000 };
  const at = (text: string) => new Date(`2026-01-01T${text}Z`);
  const known = waiting({ clock });
  const table: [now: Date, boot: string, uptime: number, since: string][] = [
    [at("11:50:00"), "one", 1300, before],
    // An hour ahead, and an hour behind: five minutes have passed.
    [at("12:50:00"), "one", 1300, "2026-01-01T12:45:00.000Z"],
    [at("10:50:00"), "one", 1300, "2026-01-01T10:45:00.000Z"],
    [at("12:00:00"), "two", 20, before],
    // It would begin in the future.
    [at("11:00:00"), "two", 20, "2026-01-01T11:00:00.000Z"],
  ];
  for (const [when, boot, uptime, since] of table) {
    const found = anchored(known, when, { boot, uptime });
    assertEquals(found.since, since);
    const later = new Date(when.getTime() + 60_000);
    const again = anchored(found, later, { boot, uptime: uptime + 60 });
    assertEquals(again.since, since, "it stays so");
  }
  assertEquals(
    anchored(known, at("11:50:00"), { boot: "one", uptime: 1300 }),
    known,
  );
});

Deno.test("a testing branch is tried once for what is followed", () => {
  const lastGood = deployed(main);
  const test = { ...deployed(idea, tried), target: testTarget };
  const testing = (changes: Partial<Testing> = {}): Testing => ({
    revision: idea,
    ref: branch,
    base: main,
    deployment: test,
    ...changes,
  });
  const runs: Systems = { running: tried, bootDefault: good };
  const shut = { "windows.deploy": ["deny Mon-Sun"] };
  const table: [string, Given, string][] = [
    ["it is off", { state: { lastGood } }, "nothing"],
    ["there is none", { state: { lastGood }, testing: null }, "nothing"],
    ["it is main", { state: { lastGood }, testing: main }, "nothing"],
    ["new", { state: { lastGood }, testing: idea }, "test"],
    ["first of all main", { testing: idea }, "deploy"],
    ["main is newer", {
      state: { lastGood: deployed(old) },
      testing: idea,
    }, "deploy"],
    ["main is held", {
      state: { lastGood: deployed(old), holds: [hold(main)] },
      testing: idea,
    }, "test"],
    ["main waits", {
      state: { lastGood: deployed(old), waiting: waiting() },
      config: { approval: "manual" },
      testing: idea,
    }, "unapproved"],
    ["a window is shut", {
      state: { lastGood },
      config: shut,
      testing: idea,
    }, "outside"],
    ["it runs", {
      state: { lastGood, testing: testing() },
      testing: idea,
      systems: runs,
    }, "nothing"],
    ["after a reboot", {
      state: { lastGood, testing: testing() },
      testing: idea,
    }, "nothing"],
    ["it moved", {
      state: { lastGood, testing: testing() },
      testing: old,
      systems: runs,
    }, "test"],
    ["main moved", {
      state: { lastGood, testing: testing({ base: old }) },
      testing: idea,
    }, "test"],
    ["it is gone", {
      state: { lastGood, testing: testing() },
      testing: null,
      systems: runs,
    }, "test-over"],
    ["nobody could ask", {
      state: { lastGood, testing: testing() },
      systems: runs,
    }, "nothing"],
    ["it is beside main", {
      state: { lastGood, testing: testing({ isAside: true }) },
      testing: idea,
      systems: runs,
    }, "test-over"],
    ["it is gone, and a reboot ends it", {
      state: {
        lastGood: {
          ...lastGood,
          target: { ...target, operation: "boot" },
        },
        testing: testing(),
        holds: [hold(main)],
      },
      testing: null,
      systems: runs,
    }, "held"],
    ["beside main, and not here", {
      state: { lastGood, testing: testing({ isAside: true }) },
      testing: idea,
    }, "nothing"],
    ["it is held", {
      state: {
        lastGood,
        testing: testing(),
        holds: [hold(idea, testTarget)],
      },
      testing: idea,
    }, "held"],
    ["held on another main", {
      state: {
        lastGood,
        testing: testing({ base: old }),
        holds: [hold(idea, testTarget)],
      },
      testing: idea,
    }, "test"],
  ];
  for (const [name, given, kind] of table) {
    const decision = decided(given);
    assertEquals(decision.kind, kind, name);
    assertEquals("drift" in decision, false, `${name}: nobody switched`);
  }
  const byHand: Systems = { running: "/nix/store/other", bootDefault: good };
  const told = decided({
    state: { lastGood, testing: testing() },
    testing: idea,
    systems: byHand,
  });
  assertEquals("drift" in told && told.drift?.actual, "/nix/store/other");
});

Deno.test("a rollback lasts where the host goes back further by itself", () => {
  const lastGood = deployed(old);
  assertEquals(rolledFurther({ lastGood, rolledBack }, tried), {
    rolledBack: { ...rolledBack, system: tried },
  });
  // One that an older program has ended does not come back.
  const since = deployed(old, tried);
  assertEquals(rolledFurther({ lastGood: since, rolledBack }, good), {});
  assertEquals(rolledFurther({ lastGood }, good), {});
});

Deno.test("a host stands as before if only a reboot has ended a test", () => {
  const test = deployed(idea, tried);
  const testing = { revision: idea, ref: branch, base: main, deployment: test };
  const runs: Systems = { running: tried, bootDefault: good };
  assertEquals(standsAs(runs, { testing }, runs), true);
  assertEquals(standsAs(runs, { testing }, inOrder), true);
  assertEquals(standsAs(runs, {}, inOrder), false);
  assertEquals(standsAs(inOrder, { testing }, runs), false);
  const other: Systems = { running: good, bootDefault: tried };
  assertEquals(standsAs(runs, { testing }, other), false);
});

Deno.test("a person is waited for only where a word changes something", () => {
  const lastGood = deployed(old);
  const state = { lastGood, holds: [], waiting: waiting() };
  assertEquals(wantedOf(state), waiting());
  assertEquals(wantedOf({ ...state, rolledBack }), undefined);
  assertEquals(wantedOf({ ...state, holds: [hold(main)] }), undefined);
  assertEquals(
    wantedOf({ ...state, holds: [hold(main, testTarget)] }),
    waiting(),
  );
  const approved = waiting({ approved: { by: "ada", at: before } });
  assertEquals(wantedOf({ ...state, waiting: approved }), undefined);
  assertEquals(wantedOf({ lastGood, holds: [] }), undefined);
});

Deno.test("what stops a sync is named with what ends it", () => {
  const stops = (given: Given, more: object = {}) =>
    stopsOf({
      config: {
        operation: "switch",
        "windows.deploy": [],
        approval: "none",
        ...given.config,
      },
      now,
      state: given.state ?? {},
      commit: { revision: main },
      target,
      decision: decided(given),
      suspension: undefined,
      busy: undefined,
      refusals: [],
      ...more,
    }).map(({ what, hints, until }) => [what, hints[0], until]);
  const resume = "Run `gitops-sync resume` to end the suspension.";
  const follow = "Run `gitops-sync resume` to follow Git again.";
  const suspension = { since: before, until: null, reason: "a move" };
  const lastGood = deployed(old);
  assertEquals(stops({ state: { lastGood, rolledBack } }, { suspension }), [
    ["suspended", resume, undefined],
    ["rolled-back", follow, undefined],
  ]);
  // A retry is offered only if it can help.
  const blocked = (reason: string) =>
    stops({ state: { lastGood, holds: [{ ...hold(main), reason }] } })[0]?.[1];
  assertEquals(blocked("builder-failed")?.includes("gitops-sync retry"), true);
  assertEquals(blocked("unsigned")?.includes("gitops-sync retry"), false);
  const approve = `Run \`gitops-sync approve ${main.slice(0, 12)}\``;
  const atOnce = `${approve} to deploy it with the next run.`;
  const later = `${approve} after a run has built it.`;
  const state = { lastGood, waiting: waiting() };
  const timed = { approval: 1_800_000 };
  assertEquals(stops({ state, config: { approval: "manual" } }), [
    ["unapproved", atOnce, undefined],
  ]);
  assertEquals(stops({ state, config: timed }), [
    ["unapproved", atOnce, "2026-01-01T12:15:00.000Z"],
  ]);
  // What is not built yet, or came to be another system, waits after that.
  const built = {
    state: { lastGood },
    config: { approval: "manual" },
  } as const;
  assertEquals(stops(built), [["unapproved", later, undefined]]);
  const other = stops({ state, config: timed }, { system: good });
  assertEquals(other, [["unapproved", later, undefined]]);
  // What is put back needs no word.
  const puts = { state: { lastGood: deployed(main) }, config: timed };
  assertEquals(stops(puts), []);
  assertEquals(stops({}), []);
});
