/**
 * Mutants that take something for looked at, or for under way, that is not.
 *
 * @module
 */
import type { Mutant } from "./mutant.ts";

const blind = ["tests/runs/blind_test.ts"];

/** Looks, signs of life, and what a killed program leaves. */
export const ofLooks: readonly Mutant[] = [
  {
    name: "look: a file that git grep did not name holds no secret",
    file: "lib/secrets/tree.ts",
    from: "  if (unseen.length > 0) {",
    to: "  if (unseen.length > entries.length) {",
    tests: blind,
  },
  {
    name: "look: an exit code says that two commits are apart",
    file: "lib/git/ancestry.ts",
    from: "  await confirmUnrelated(run, mirror, one, other);\n",
    to: "",
    tests: blind,
  },
  {
    name: "look: the locks of a killed Git stay",
    file: "lib/git/fetch.ts",
    from: "  await dropLocks(mirror);\n",
    to: "",
    tests: ["tests/runs/mirror_test.ts"],
  },
  {
    name: "look: a run that was killed deploys for ever",
    file: "lib/report/published.ts",
    from: '  return found?.state === "deploying" && !await isRunning();',
    to: '  return found?.state === "deploying" && await isRunning() === null;',
    tests: ["tests/runs/status_test.ts"],
  },
  {
    name: "look: a sign of life counts for nothing",
    file: "lib/cli/life.ts",
    from: "if (data === alive) missed = 0;",
    to: "if (data === alive) return;",
    tests: ["tests/cli/life_test.ts"],
  },
];
