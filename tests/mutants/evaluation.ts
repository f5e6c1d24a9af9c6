/**
 * Mutants of how a revision is evaluated without the power of the host.
 *
 * @module
 */
import type { Mutant } from "./mutant.ts";

const hostile = ["tests/nix/hostile_test.ts"];
const isolated = ["tests/nix/isolated_test.ts"];

/** All of these. */
export const ofEvaluation: readonly Mutant[] = [
  {
    name: "evaluation: the unit is root's and sees its files",
    file: "lib/nix/evaluation_unit.ts",
    from: "    user: evaluationUser,\n    readable: [\n",
    to: '    user: "root",\n    readable: [\n      { from: "/root" },\n',
    tests: hostile,
  },
  {
    name: "evaluation: all steps are one, as root",
    file: "lib/nix/evaluate.ts",
    from: '  if (typeof route !== "string") {\n',
    to: '  if (typeof route !== "string" && Deno.uid() !== 0) {\n',
    tests: hostile,
  },
  {
    name: "evaluation: submodules are fetched beside the host's files",
    file: "lib/nix/isolated.ts",
    from: '  const isLocal = run.remote.repository.startsWith("file://");\n',
    to: "  const isLocal = Deno.uid() === 0;\n",
    tests: hostile,
  },
  {
    name: "evaluation: those of inputs are fetched beside the host's files",
    file: "lib/nix/isolated.ts",
    from: "(command) => fetchConfined(run, route, command)",
    to: "(command) => run.effects.run(command)",
    tests: hostile,
  },
  {
    name: "evaluation: a daemon that builds as root does",
    file: "lib/nix/isolation.ts",
    from: 'if (settings.buildUsersGroup === "" && !settings.allocatesUsers) {',
    to: 'if (settings.buildUsersGroup === "-") {',
    tests: isolated,
  },
  {
    name: "evaluation: a daemon that trusts the user does",
    file: "lib/nix/isolation.ts",
    from: "if (settings.trustedUsers.some(isMeant)) {",
    to: 'if (settings.trustedUsers.includes("-")) {',
    tests: isolated,
  },
  {
    name: "evaluation: without isolation it goes on as root",
    file: "lib/nix/evaluate.ts",
    from:
      '  if (isolate === "true" && typeof route === "string") throw notIsolated(route);\n',
    to: "",
    tests: isolated,
  },
  {
    name: "evaluation: an answer that was stopped holds the revision",
    file: "lib/nix/isolated_end.ts",
    from: "  if (end && wasStopped(end, used)) throw endedFor(revision);\n",
    to: "",
    tests: isolated,
  },
  {
    name: "evaluation: it outlives the service that asked for it",
    file: "lib/host/confined_unit.ts",
    from: "boundTo === undefined ? [] : [`BindsTo=${boundTo}`]",
    to: "boundTo === undefined ? [] : [`After=${boundTo}`]",
    tests: isolated,
  },
  {
    name: "evaluation: it has no limit of memory",
    file: "lib/host/confined_unit.ts",
    from: "    `MemoryMax=${memory.ram}`,\n",
    to: "",
    tests: isolated,
  },
  {
    name: "evaluation: it has the key of the repository",
    file: "lib/nix/evaluation_unit.ts",
    from: "        sshKeyFile: undefined,\n",
    to: '        sshKeyFile: "/etc/ssh/deploy",\n',
    tests: isolated,
  },
];
