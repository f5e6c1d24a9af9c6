/** Which revision has soaked, and what is remembered for it. */
import { assert, assertEquals } from "@std/assert";
import type { Config } from "../../lib/config/schema.ts";
import { decide, type Decision } from "../../lib/run/decide.ts";
import { gatedNow, gateNames, isDue, nextLook } from "../../lib/run/gates.ts";
import { sightingsAfter, soakedTip } from "../../lib/run/soak.ts";
import type {
  Deployment,
  Gate,
  Gated,
  Hold,
  Sighting,
  State,
  Target,
} from "../../lib/state/state.ts";

const now = new Date("2026-11-27T12:00:00Z");
const hour = 3_600_000;
const ago = (hours: number) =>
  new Date(now.getTime() - hours * hour).toISOString();
const target: Target = {
  repository: "file:///srv/infra",
  ref: "main",
  directory: "",
  host: "web",
  operation: "switch",
};
const rev = (letter: string) => letter.repeat(40);
const tip = {
  revision: rev("d"),
  kind: "branch" as const,
  name: "refs/heads/main",
};

const seen = (letter: string, hours: number): Sighting => ({
  repository: target.repository,
  ref: target.ref,
  revision: rev(letter),
  since: ago(hours),
});

const deployed = (letter: string, hours = 9): Deployment => ({
  revision: rev(letter),
  subject: "",
  author: "",
  committedAt: "",
  target,
  system: "/nix/store/good",
  at: ago(hours),
});

const hold = (letter: string): Hold => ({
  revision: rev(letter),
  target,
  stage: "build",
  reason: "builder-failed",
  message: "no",
  hints: [],
  since: ago(1),
});

const stateOf = (more: Partial<State>): State => ({
  version: 1,
  earlier: [],
  holds: [],
  ...more,
});

function aimed(
  more: Partial<State>,
  config: Partial<Config> = {},
  of: Partial<Target> = {},
  kind: "branch" | "tag" | "commit" = "branch",
) {
  return soakedTip({
    tip: { ...tip, kind },
    state: stateOf(more),
    target: { ...target, ...of },
    config: {
      allowForcePush: false,
      approval: "none",
      "gates.soak": 2 * hour,
      ...config,
    },
    now,
  }).revision[0];
}

Deno.test("the newest that has soaked is what is deployed", () => {
  const busy = [seen("a", 9), seen("b", 3), seen("c", 2.5), seen("d", 1)];
  const lastGood = deployed("a");
  const table: [Parameters<typeof aimed>, expected: string][] = [
    [[{ sightings: busy, lastGood }], "c"],
    [[{ sightings: busy }], "c"],
    [[{ sightings: busy.slice(0, 3).concat(seen("d", 2)), lastGood }], "d"],
    // What is seen for the first time is not written down yet.
    [[{ sightings: busy.slice(0, 3), lastGood }], "d"],
    [[{ sightings: busy, lastGood: deployed("c") }], "d"],
    [[{ sightings: busy, lastGood: deployed("b") }], "c"],
    // What failed is no reason to take an older one.
    [[{ sightings: busy, lastGood, holds: [hold("c")] }], "d"],
    [[{ sightings: busy, lastGood, holds: [hold("b")] }], "c"],
    // What was never seen counts by when it was deployed.
    [[{ sightings: busy, lastGood: deployed("e", 1) }], "d"],
    [[{ sightings: busy, lastGood: deployed("e", 2.7) }], "c"],
    // Another target makes another system of what runs.
    [[{ sightings: busy, lastGood: deployed("c") }, {}, { host: "x" }], "c"],
    [[{ sightings: busy, lastGood }, { "gates.soak": undefined }], "d"],
    [[{ sightings: busy, lastGood }, { approval: "manual" }], "d"],
    [[{ sightings: busy, lastGood }, {}, { operation: "build" }], "d"],
    [[{ sightings: busy, lastGood }, {}, { ref: "other" }], "d"],
    [[{ sightings: busy, lastGood }, {}, {}, "tag"], "d"],
    [[{ sightings: busy, lastGood }, {}, {}, "commit"], "d"],
  ];
  for (const [args, expected] of table) {
    assertEquals(aimed(...args), expected, JSON.stringify(args));
  }
});

const clock = { boot: "boot", uptime: 100 };
const letters = (all: readonly Sighting[]) =>
  all.map(({ revision }) => revision[0]).join("");

Deno.test("what is seen is remembered from the first time on, and bounded", () => {
  const after = (more: Partial<State>, of = tip) =>
    sightingsAfter(stateOf(more), target, of, now, clock);
  const [first] = after({});
  assertEquals(first, { ...seen("d", 0), clock });
  // The state knew it before anybody asked for soak.
  const at = ago(5);
  const known = after({
    seen: { ref: "main", revision: rev("d"), kind: "branch", at },
  });
  assertEquals(known, [{ ...seen("d", 0), since: at }]);
  const busy = [seen("a", 9), seen("b", 3), seen("d", 2), seen("c", 1)];
  // One that comes again is the newest, and known since then.
  const again = after({ sightings: busy });
  assertEquals(letters(again), "abcd");
  assertEquals(again.at(-1)!.since, ago(2));
  assertEquals(
    letters(after({ sightings: busy, lastGood: deployed("b") })),
    "bcd",
  );
  // What a mirror names that is behind ends no time that others have waited.
  assertEquals(
    letters(after({ sightings: busy, lastGood: deployed("d") })),
    "abdc",
  );
  // Another ref begins anew, and its revisions are known all the same.
  const other = sightingsAfter(
    stateOf({ sightings: busy }),
    { ...target, ref: "next" },
    tip,
    now,
    clock,
  );
  assertEquals([letters(other), other[0]!.since], ["d", ago(2)]);
});

Deno.test("a branch that moves each minute for a week has what has soaked", () => {
  let state = stateOf({});
  const minutes = 2000;
  for (let minute = 0; minute < minutes; minute++) {
    const at = new Date(now.getTime() + minute * 60_000);
    const revision = minute.toString(16).padStart(40, "0");
    const sightings = sightingsAfter(
      state,
      target,
      { ...tip, revision },
      at,
      { boot: "boot", uptime: minute * 60 },
    );
    assert(sightings.length <= 100);
    state = { ...state, sightings };
  }
  const at = new Date(now.getTime() + minutes * 60_000);
  const chosen = soakedTip({
    tip: { ...tip, revision: (minutes - 1).toString(16).padStart(40, "0") },
    state,
    target,
    config: {
      allowForcePush: false,
      approval: "none",
      "gates.soak": 12 * hour,
    },
    now: at,
  });
  const lasted = minutes - Number.parseInt(chosen.revision, 16);
  assert(lasted >= 720 && lasted < 800, `${lasted}`);
});

const gate = (
  name: string,
  isOpen: boolean,
  more: Partial<Gate> = {},
): Gate => ({
  name,
  isOpen,
  since: ago(1),
  why: "",
  ...more,
});

const gated = (gates: Gate[], more: Partial<Gated> = {}): Gated => ({
  revision: tip.revision,
  subject: "",
  author: "",
  committedAt: "",
  target,
  system: "/nix/store/new",
  since: ago(1),
  at: ago(0.5),
  notBefore: new Date(now.getTime() + 60_000).toISOString(),
  gates,
  ...more,
});

Deno.test("gates are asked again at their time, more rarely the longer they are closed", () => {
  const config = { "gates.command": ["true"] };
  const one = gated([gate("command", false)]);
  const table: [Gated, boolean][] = [
    [one, false],
    [{ ...one, notBefore: now.toISOString() }, true],
    // The clock was set back.
    [{ ...one, at: new Date(now.getTime() + 1000).toISOString() }, true],
    // Another gate was configured.
    [gated([gate("soak", false)]), true],
  ];
  for (const [of, expected] of table) {
    assertEquals(isDue(of, config, false, now), expected);
  }
  const pauseOf = (gates: Gate[], soak?: number, after = 0, sightings = [
    seen("c", 0.5),
    seen("d", 0),
  ]) =>
    nextLook(gates, { "gates.soak": soak }, { sightings }, now, after)
      .getTime() - now.getTime();
  const closed = (hours: number) => [
    gate("command", false, { since: ago(hours) }),
  ];
  assertEquals(pauseOf(closed(0)), 0);
  assertEquals(pauseOf(closed(1)), hour / 10);
  assertEquals(pauseOf(closed(100)), hour / 4);
  assertEquals(pauseOf(closed(0), undefined, hour), hour);
  const until = new Date(now.getTime() + 2 * hour).toISOString();
  const soaks = [gate("soak", false, { until }), gate("command", false)];
  // An older one soaks before it.
  assertEquals(pauseOf(soaks, 2 * hour), 1.5 * hour);
  assertEquals(pauseOf(soaks, 2 * hour, 0, [seen("d", 0)]), 2 * hour);
});

Deno.test("gates come after everything else that stops a run", () => {
  const decided = (
    more: Partial<State>,
    config: Partial<Config> = {},
  ): Decision["kind"] =>
    decide({
      tip,
      state: stateOf({ lastGood: deployed("a"), ...more }),
      systems: { running: "/nix/store/good", bootDefault: "/nix/store/good" },
      target,
      config: {
        drift: "report",
        allowForcePush: false,
        "windows.deploy": [],
        approval: "none",
        "gates.command": ["true"],
        ...config,
      },
      now,
      force: false,
    }).kind;
  const known = { gated: gated([gate("command", false)]) };
  const shut = { "windows.deploy": ["deny Mon-Sun"] };
  const { gates: _, at: __, notBefore: ___, ...commit } = known.gated;
  const table: [Decision["kind"], Partial<State>, Partial<Config>?][] = [
    ["deploy", {}],
    ["gated", known],
    ["deploy", known, { "gates.command": [] }],
    ["outside", known, shut],
    ["held", { ...known, holds: [hold("d")] }],
    ["unapproved", { ...known, waiting: commit }, { approval: "manual" }],
    ["deploy", known, { approval: "manual" }],
    ["nothing", { ...known, lastGood: deployed("d") }],
    [
      "rolled-back",
      {
        ...known,
        rolledBack: { by: "ada", at: ago(1), system: "/nix/store/good" },
      },
    ],
    [
      "wait",
      {
        ...known,
        backoff: {
          revision: tip.revision,
          failures: 3,
          notBefore: new Date(now.getTime() + 1000).toISOString(),
        },
      },
    ],
  ];
  for (const [kind, state, config] of table) {
    assertEquals(decided(state, config), kind, JSON.stringify([state, config]));
  }
  const state = stateOf({ ...known, lastGood: deployed("a") });
  assertEquals(gatedNow(state), known.gated);
  assertEquals(gatedNow({ ...state, holds: [hold("d")] }), undefined);
  assertEquals(gatedNow({ ...state, lastGood: deployed("d") }), undefined);
});

Deno.test("the testing branch does not soak", () => {
  const config = {
    "gates.soak": hour,
    "gates.checks": ["ci/*"],
    "gates.prometheus": [{ url: "https://p.example", query: "up" }],
    "gates.command": ["true"],
  };
  const names = ["soak", "checks ci/*", "prometheus 1", "command"];
  assertEquals(gateNames(config), names);
  assertEquals(gateNames(config, true), names.slice(1));
  assertEquals(gateNames({}), []);
});
