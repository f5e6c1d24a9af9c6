import { assert, assertEquals } from "@std/assert";
import { Machine } from "../machine/machine.ts";
import { allFaults, campaign } from "./campaign.ts";
import type { Fault } from "./trial.ts";
import { type Facts, isInOrder, judge } from "./verdict.ts";

const refusal = await Machine.refusal();
if (refusal) console.log(`no faults are injected here: ${refusal}`);

/** A few of the campaign's, those that have found the most. */
const chosen: Fault[] = [
  { name: "program gets SIGKILL", point: "activate", seed: 1 },
  { name: "program gets SIGKILL", point: "confirm", seed: 1 },
  { name: "program gets SIGTERM", point: "way back", seed: 1 },
  { name: "power is cut", point: "activate", seed: 1 },
  { name: "power is cut", point: "confirm", seed: 1 },
  { name: "service is stopped", point: "activate", seed: 1 },
  { name: "state is read-only", point: "activate", seed: 1 },
  { name: "/boot is read-only", point: "health", seed: 1 },
  { name: "systemctl fails", point: "health", seed: 1 },
  { name: "a unit fails", point: "candidate", seed: 1 },
  { name: "the timer never comes", point: "candidate", seed: 1 },
  { name: "the bootloader fails and says 0", point: "candidate", seed: 1 },
];

Deno.test({
  name: "a dozen faults leave no host in a bad state",
  ignore: refusal !== null,
  fn: async () => {
    const all = allFaults(1);
    for (const fault of chosen) {
      const isKnown = all.some(({ name, point }) =>
        name === fault.name && point === fault.point
      );
      assert(isKnown, `${fault.name} / ${fault.point}`);
    }
    const results = await campaign(chosen, Infinity, () => {});
    assertEquals(results.length, chosen.length);
    for (const { fault, bad, evidence } of results) {
      assertEquals(bad, [], `${fault.name} / ${fault.point}: ${evidence}`);
    }
  },
});

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
    failedUnits: [],
    missingUnits: [],
    comesAgain: true,
    wayBack: false,
    isSwitching: false,
    isReadable: true,
    ...others,
  };
}

Deno.test("what counts as bad is told from links, entries and units", () => {
  const good = new Set(["a", "b"]);
  const table: [string, Facts, boolean, string[]][] = [
    ["in order", facts(["a", "a", "a"]), false, []],
    ["a bad entry", facts(["a", "a", "x"]), false, [
      "boot default",
      "unguarded",
    ]],
    ["no entry", facts(["a", "a", null]), false, ["boot default", "unguarded"]],
    ["a bad profile", facts(["a", "x", "a"]), false, ["boot default"]],
    ["a bad system", facts(["x", "a", "a"]), false, ["unhealthy"]],
    [
      "but on its way back",
      facts(["x", "a", "a"], { wayBack: true }),
      false,
      [],
    ],
    ["but a person was called", facts(["x", "a", "a"]), true, []],
    [
      "a failed unit",
      facts(["a", "a", "a"], { failedUnits: ["web.service"] }),
      false,
      ["unhealthy"],
    ],
    [
      "a unit that does not run",
      facts(["a", "a", "a"], { missingUnits: ["web.service"] }),
      false,
      ["missing"],
    ],
    [
      "a timer that does not come again",
      facts(["a", "a", "a"], { comesAgain: false }),
      false,
      ["no next run"],
    ],
    [
      "but somebody was told",
      facts(["a", "a", "a"], { missingUnits: ["web.service"] }),
      true,
      [],
    ],
    ["undecided for ever", facts(["b", "a", "a"]), false, ["unguarded"]],
    [
      "undecided for now",
      facts(["b", "a", "a"], { wayBack: true }),
      false,
      [],
    ],
    [
      "a torn state",
      facts(["a", "a", "a"], { isReadable: false }),
      false,
      ["unreadable"],
    ],
  ];
  for (const [name, found, calledForHelp, expected] of table) {
    assertEquals<string[]>(judge(found, good, calledForHelp), expected, name);
  }
});

Deno.test("a host is in order if all of it is of one revision", () => {
  assert(isInOrder(facts(["a", "a", "a"]), "a"));
  assert(!isInOrder(facts(["a", "a", "a"]), "b"));
  assert(!isInOrder(facts(["a", "b", "a"]), "a"));
  assert(!isInOrder(facts(["a", "a", "b"]), "a"));
  assert(!isInOrder(facts(["a", "a", "a"], { failedUnits: ["x"] }), "a"));
  assert(!isInOrder(facts(["a", "a", "a"], { missingUnits: ["x"] }), "a"));
  assert(!isInOrder(facts(["a", "a", "a"], { wayBack: true }), "a"));
  assert(!isInOrder(facts(["a", "a", "a"], { comesAgain: false }), "a"));
});
