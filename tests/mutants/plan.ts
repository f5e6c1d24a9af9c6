/**
 * Mutants of what a plan says and leaves alone.
 *
 * @module
 */
import type { Mutant } from "./mutant.ts";

const worlds = ["tests/runs/plan_test.ts"];
const machine = ["tests/machine/plan_test.ts"];
const markdown = ["tests/plan/markdown_test.ts"];
const words = ["tests/plan/dry_words_test.ts"];

/** All of these. */
export const ofPlan: readonly Mutant[] = [
  {
    name: "plan: an unknown line is dropped",
    file: "lib/plan/dry_words.ts",
    from: "      other.push(line);",
    to: "",
    tests: words,
  },
  {
    name: "plan: a dry activation that was cut off is believed",
    file: "lib/plan/dry_words.ts",
    from: "let isWhole = false,",
    to: "let isWhole = true,",
    tests: words,
  },
  {
    name: "plan: what targets start is left out",
    file: "lib/plan/units.ts",
    from: "    ...states.length === 0\n",
    to: "    ...states.length >= 0\n",
    tests: machine,
  },
  {
    name: "plan: what requires a unit that stops is left out",
    file: "lib/plan/units.ts",
    from: 'if (runs(one) && !one.endsWith(".target")) found.add(one);',
    to: 'if (runs(one) && one.endsWith(".target")) found.add(one);',
    tests: machine,
  },
  {
    name: "plan: reloads are left out",
    file: "lib/plan/units.ts",
    from: "words.reload.filter((unit) => !restarted.has(unit))",
    to: "words.reload.filter((unit) => restarted.has(unit))",
    tests: machine,
  },
  {
    name: "plan: what a socket starts again stays away",
    file: "lib/plan/units.ts",
    from: "onDemand: sorted(gone.filter(isOnDemand)),",
    to: "onDemand: [],",
    tests: machine,
  },
  {
    name: "plan: all that starts is new",
    file: "lib/plan/units.ts",
    from: "const isKnown = (unit: string) =>\n    old",
    to: "const isKnown = (unit: string) =>\n    states.length === 0 && old",
    tests: machine,
  },
  {
    name: "plan: what changed and runs on is left out",
    file: "lib/plan/units.ts",
    from: "    keep: words.keep,",
    to: "    keep: [],",
    tests: machine,
  },
  {
    name: "plan: what is not verified is evaluated",
    file: "lib/plan/revision.ts",
    from: "() => verify(run, fetched),",
    to: '() => Promise.resolve({ ...fetched, done: "verified" as const }),',
    tests: worlds,
  },
  {
    name: "plan: the folder is left behind",
    file: "lib/plan/scratch.ts",
    from: "    await remove(this.folder);\n    this.lock",
    to: "    this.lock",
    tests: worlds,
  },
  {
    name: "plan: the state folder itself is used",
    file: "lib/plan/revision.ts",
    from: "stateDirectory: scratch.folder",
    to: "stateDirectory: folder",
    tests: worlds,
  },
  {
    name: "plan: the switch is asked while a run is under way",
    file: "lib/plan/dry_activate.ts",
    from: "  if (isKnown && !lock) {",
    to: "  if (false as boolean) {",
    tests: worlds,
  },
  {
    name: "plan: root evaluates the folder of another user",
    file: "lib/plan/folder.ts",
    from: "  if (Deno.uid() !== 0 || uid === 0) return;",
    to: "  return;",
    tests: worlds,
  },
  {
    name: "plan: a fence as short as what it encloses",
    file: "lib/cli/command/plan_markdown.ts",
    from: "...runs.map(({ length }) => length)) + 1,",
    to: "...runs.map(({ length }) => length), 1),",
    tests: markdown,
  },
];
