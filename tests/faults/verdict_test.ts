import { assert, assertEquals } from "@std/assert";
import { type Status, type Story, wrongOf } from "./explain.ts";
import type { Facts } from "./facts.ts";
import { type Circumstances, isInOrder, judge } from "./verdict.ts";

const system = (revision: string | null) =>
  revision === null
    ? null
    : { path: `/nix/store/${revision}-system`, revision };

function facts(
  [running, profile, entry]: [string | null, string | null, string | null],
  others: Partial<Facts> = {},
): Facts {
  return {
    running: system(running),
    profile: system(profile),
    entry: system(entry),
    hasSystemd: true,
    failedUnits: [],
    missingUnits: [],
    comesAgain: true,
    guard: null,
    guardSince: null,
    activatedAt: null,
    isSwitching: false,
    isReadable: true,
    isInHistory: true,
    attempt: null,
    calls: [],
    held: [],
    ...others,
  };
}

/** A guard that starts a good system, or not. */
const guarded = (revision: string) => ({ guard: system(revision) });
/** A run that was cut off. */
const attempt = (stage: string) => ({
  attempt: { stage, undoing: false, revision: "x", subject: "" },
});
/** A way back under way, from a candidate that was activated after a second. */
const undoing = {
  attempt: { stage: "health", undoing: true, revision: "x", subject: "" },
  activatedAt: 1,
  calls: ["test x", "test a"],
  ...guarded("a"),
};
const missing = { missingUnits: ["web.service"] };

Deno.test("what counts as bad is told from links, entries and units", () => {
  const good = new Set(["a", "b"]);
  const help = (said: string) => ({ help: { said } });
  const table: [string, Facts, Circumstances, string[]][] = [
    ["in order", facts(["a", "a", "a"]), {}, []],
    ["a bad entry", facts(["a", "a", "x"]), {}, ["boot default", "unguarded"]],
    [
      "no entry",
      facts(["a", "a", null]),
      {},
      ["boot default", "unguarded"],
    ],
    ["a bad profile", facts(["a", "x", "a"]), {}, ["boot default"]],
    [
      "a bad profile, and a run has yet to end",
      facts(["a", "x", "a"], attempt("confirm")),
      {},
      [],
    ],
    [
      "both are bad, and a run has yet to end",
      facts(["a", "x", "x"], { ...attempt("confirm"), ...guarded("a") }),
      {},
      ["boot default"],
    ],
    ["a bad system", facts(["x", "a", "a"]), {}, ["unhealthy"]],
    [
      "a bad system, and a journal, which does nothing by itself",
      facts(["x", "a", "a"], attempt("health")),
      {},
      ["unhealthy"],
    ],
    [
      "the same without systemd, where the next run is the way back",
      facts(["x", "a", "a"], { ...attempt("health"), hasSystemd: false }),
      {},
      [],
    ],
    [
      "a bad system, and systemd brings a good one",
      facts(["x", "a", "a"], guarded("a")),
      {},
      [],
    ],
    [
      "a bad system, and systemd brings a bad one",
      facts(["x", "a", "a"], guarded("x")),
      {},
      ["unhealthy"],
    ],
    ["a person was called", facts(["x", "a", "a"]), help(""), []],
    [
      "a failed unit",
      facts(["a", "a", "a"], { failedUnits: ["web.service"] }),
      {},
      ["unhealthy"],
    ],
    ["a unit that does not run", facts(["a", "a", "a"], missing), {}, [
      "missing",
    ]],
    [
      "it is named to a person",
      facts(["a", "a", "a"], missing),
      help("web.service does not run"),
      [],
    ],
    [
      "a person was called, and not told of it",
      facts(["a", "a", "a"], missing),
      help("the rollback failed"),
      ["missing"],
    ],
    [
      "a timer that does not come again",
      facts(["a", "a", "a"], { comesAgain: false }),
      {},
      ["no next run"],
    ],
    ["undecided for ever", facts(["b", "a", "a"]), {}, ["unguarded"]],
    [
      "undecided for now",
      facts(["b", "a", "a"], guarded("a")),
      {},
      [],
    ],
    [
      "a torn state",
      facts(["a", "a", "a"], { isReadable: false }),
      {},
      ["unreadable"],
    ],
    [
      "an outcome that the history lacks",
      facts(["a", "a", "a"], { isInHistory: false }),
      {},
      ["not in the history"],
    ],
    [
      "a switch before its stage",
      facts(["a", "a", "a"], { ...attempt("prove"), calls: ["test x"] }),
      {},
      ["wrong stage"],
    ],
    [
      "one of an earlier run",
      facts(["a", "a", "a"], { ...attempt("prove"), calls: ["test x"] }),
      { since: 1 },
      [],
    ],
    [
      "a way back that has a switch of its own",
      facts(["a", "a", "a"], { ...undoing, guardSince: 2 }),
      {},
      [],
    ],
    [
      "a way back with the switch of before",
      facts(["a", "a", "a"], { ...undoing, guardSince: 0.5 }),
      {},
      ["no way back"],
    ],
    [
      "a boot default before its stage",
      facts(["a", "a", "a"], { ...attempt("health"), calls: ["boot x"] }),
      {},
      ["wrong stage"],
    ],
  ];
  for (const [name, found, circumstances, expected] of table) {
    assertEquals<string[]>(judge(found, good, circumstances), expected, name);
  }
});

Deno.test("a host is in order if all of it is of one revision", () => {
  assert(isInOrder(facts(["a", "a", "a"]), "a"));
  assert(!isInOrder(facts(["a", "a", "a"]), "b"));
  assert(!isInOrder(facts(["a", "b", "a"]), "a"));
  assert(!isInOrder(facts(["a", "a", "b"]), "a"));
  assert(!isInOrder(facts(["a", "a", "a"], { failedUnits: ["x"] }), "a"));
  assert(!isInOrder(facts(["a", "a", "a"], { missingUnits: ["x"] }), "a"));
  assert(!isInOrder(facts(["a", "a", "a"], guarded("a")), "a"));
  assert(!isInOrder(facts(["a", "a", "a"], attempt("confirm")), "a"));
  assert(!isInOrder(facts(["a", "a", "a"], { comesAgain: false }), "a"));
});

Deno.test("a status is wrong if it tells another host, or not what happened", () => {
  const told = {
    running: { system: "/nix/store/a-system" },
    bootDefault: { system: "/nix/store/a-system" },
    agrees: false,
    why: "x is blocked: Cannot build x",
    next: [],
    last: { message: "Cannot build x", hints: [], exit: 6 },
    attempt: null,
  };
  const story = { revision: "x", exit: 6, said: "", faults: [/Cannot build/] };
  const at = facts(["a", "a", "a"]);
  const cut = facts(["a", "a", "a"], attempt("health"));
  const inStage = { ...told, attempt: { stage: "health" } };
  const killed = { ...story, exit: 137 };
  const table: [string, Status | undefined, Facts, Story, boolean][] = [
    ["it tells the fault", told, at, story, true],
    ["there is none", undefined, at, story, false],
    [
      "another system runs",
      { ...told, running: { system: "/nix/store/b-system" } },
      at,
      story,
      false,
    ],
    [
      "it says in sync",
      { ...told, agrees: true },
      at,
      story,
      false,
    ],
    [
      "it tells something else",
      told,
      at,
      { ...story, faults: [/No space left/] },
      false,
    ],
    [
      "it has not heard of it",
      { ...told, why: "x is not deployed yet", last: null },
      at,
      story,
      false,
    ],
    [
      "nor could it, and the run has told it",
      { ...told, why: "x is not deployed yet", last: null },
      at,
      { ...story, said: "error: Cannot build x" },
      true,
    ],
    ["a run was cut off, and it says no word", inStage, cut, killed, false],
    [
      "it names the stage",
      { ...inStage, next: ["interrupted at the health stage"] },
      cut,
      killed,
      true,
    ],
    [
      "it names another stage",
      { ...inStage, next: ["interrupted at the build stage"] },
      cut,
      killed,
      false,
    ],
    [
      "a person is needed, and it says so",
      {
        ...inStage,
        next: ["Manual action is needed"],
        last: { message: "", hints: [], exit: 8 },
      },
      cut,
      { ...story, exit: 8 },
      true,
    ],
  ];
  for (const [name, status, facts, story, isRight] of table) {
    assertEquals(wrongOf(status, facts, story) === undefined, isRight, name);
  }
});
