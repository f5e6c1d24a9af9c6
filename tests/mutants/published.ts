/**
 * Mutants of what is published for hosts.
 *
 * @module
 */
import type { Mutant } from "./mutant.ts";

const branch = ["tests/publish/branch_test.ts"];
const folder = ["tests/publish/folder_test.ts"];

export const ofPublishing: readonly Mutant[] = [
  {
    name: "publish: what nobody signed is carried over",
    file: "lib/publish/to_branch.ts",
    from: "    await wish.key?.check(repository.path, commit);\n",
    to: "",
    tests: branch,
  },
  {
    name: "publish: another history is published",
    file: "lib/publish/to_branch.ts",
    from: "    throw notForward(wish.name, from, revision, isShallow);",
    to: "    return isShallow;",
    tests: branch,
  },
  {
    name: "publish: a job that is late goes back",
    file: "lib/publish/to_branch.ts",
    from: "    if (common === revision) return true;\n",
    to: "",
    tests: branch,
  },
  {
    name: "publish: a branch of others is written to",
    file: "lib/publish/to_branch.ts",
    from: "    if (from === undefined) throw notOurs(wish.name, commit);",
    to: "    if (from === undefined) return undefined;",
    tests: branch,
  },
  {
    name: "publish: who was faster loses its hosts",
    file: "lib/publish/to_branch.ts",
    from: "      [...before, ...update.systems].filter(([host]) =>",
    to: "      [...update.systems].filter(([host]) =>",
    tests: branch,
  },
  {
    name: "publish: changes that are not committed are overlooked",
    file: "lib/publish/source.ts",
    from: '  if (changed !== "") throw notCommitted(top, changed);',
    to: "",
    tests: branch,
  },
  {
    name: "publish: one host that fails stops all",
    file: "lib/publish/publish.ts",
    from: "    if (!isOfHost) throw error;",
    to: "    throw error;",
    tests: branch,
  },
  {
    name: "publish: a cache without signatures will do",
    file: "lib/publish/cache.ts",
    from: "    if (!key) return undefined;",
    to: "    if (key !== null) return undefined;",
    tests: folder,
  },
  {
    name: "publish: a host is published that can't open its secrets",
    file: "lib/publish/publish.ts",
    from: "    if (problem) throw problem;",
    to: "",
    tests: folder,
  },
];
