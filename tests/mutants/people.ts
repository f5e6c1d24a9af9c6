/**
 * Mutants of what helps people: `doctor` and `init`.
 *
 * @module
 */
import type { Mutant } from "./mutant.ts";

const checks = ["tests/doctor/check_test.ts"];
const init = ["tests/runs/init_test.ts"];
const completions = ["tests/runs/completions_test.ts"];

export const ofPeople: readonly Mutant[] = [
  {
    name: "doctor: what nobody looked at is good enough for others",
    file: "lib/doctor/check.ts",
    from: '    return state !== "ok" && state !== "warning";',
    to: '    return state === "problem";',
    tests: checks,
  },
  {
    name: "doctor: what nobody looked at is well",
    file: "lib/doctor/check.ts",
    from: '    results.find(({ state }) => state === "unknown");',
    to: "    undefined;",
    tests: checks,
  },
  {
    name: "doctor: what a run would warn of is not told",
    file: "lib/doctor/check.ts",
    from: "  if (warnings.length === 0) return finding;",
    to: "  if (warnings.length >= 0) return finding;",
    tests: checks,
  },
  {
    name: "init: what was made stays where something fails",
    file: "lib/init/write.ts",
    from: "    for (const path of made.toReversed()) {",
    to: "    for (const path of [] as string[]) {",
    tests: init,
  },
  {
    name: "completions: a hostile name gets into a command line",
    file: "lib/cli/command/complete.ts",
    from: ".filter(([word]) => isPlain(word))",
    to: "",
    tests: completions,
  },
];
