/**
 * Mutants of what a person steers.
 *
 * @module
 */
import type { Mutant } from "./mutant.ts";

const decision = ["tests/run/steer_test.ts"];
const stay = ["tests/runs/stay_test.ts"];
const approval = ["tests/runs/approval_test.ts"];
const told = ["tests/runs/steered_test.ts"];
const testing = ["tests/runs/testing_test.ts"];

/** All of these. */
export const ofSteering: readonly Mutant[] = [
  {
    name: "desk: a person who is not root waits for nothing",
    file: "lib/cli/command/status_published.ts",
    from: "  refuseWaiting(call);\n",
    to: "",
    tests: ["tests/cli/published_test.ts"],
  },
  {
    name: "desk: doctor finds another machine well",
    file: "lib/doctor/host_checks.ts",
    from: "  refuseOtherMachine(machineId);\n",
    to: "",
    tests: stay,
  },
  {
    name: "desk: status promises what no run does on another machine",
    file: "lib/report/agreement.ts",
    from: "  if (facts.otherMachine) return [facts.otherMachine];\n",
    to: "",
    tests: stay,
  },
  {
    name: "steer: a rollback does not last",
    file: "lib/run/decide.ts",
    from:
      '  if (rolledBack) return { kind: "rolled-back", rolledBack, ...extra };\n',
    to: "",
    tests: decision,
  },
  {
    name: "steer: an approval counts for any commit",
    file: "lib/run/approval.ts",
    from: "isSame(waiting, commit) &&",
    to: "commit.revision.length > 0 &&",
    tests: decision,
  },
  {
    name: "steer: an approval counts for whatever was built",
    file: "lib/run/approval.ts",
    from: "(system === undefined || waiting.system === system)",
    to: "waiting.system.length > 0",
    tests: decision,
  },
  {
    name: "steer: a clock that was set ends a wait",
    file: "lib/run/approval.ts",
    from: "Math.abs(lasted - byWall) <= slack",
    to: "Math.abs(lasted - byWall) >= 0",
    tests: decision,
  },
  {
    name: "steer: a wait that is over is not seen by the short cut",
    file: "lib/sync/settled.ts",
    from:
      "    if (settled.until !== undefined && now >= settled.until) return;\n",
    to: "",
    tests: approval,
  },
  {
    name: "steer: a test takes the place of the last good system",
    file: "lib/activation/confirm.ts",
    from:
      "  if (testing) return await rememberTest(run, deployment, testing);\n",
    to: "",
    tests: testing,
  },
  {
    name: "steer: a testing branch beside the ref is tried out",
    file: "lib/sync/pipeline.ts",
    from: "  refuseAside(run, fetched);\n",
    to: "",
    tests: testing,
  },
  {
    name: "steer: a reboot in the next test needs a person",
    file: "lib/run/testing.ts",
    from: "    now.running === previous.bootDefault;\n",
    to: "    now.running !== previous.bootDefault;\n",
    tests: decision,
  },
  {
    name: "steer: any machine is changed",
    file: "lib/sync/machine.ts",
    from: "  if (id === wanted) return;\n",
    to: "  if (id !== undefined) return;\n",
    tests: stay,
  },
  {
    name: "steer: retry forgets the holds of a host that stays",
    file: "lib/sync/left.ts",
    from: "if (wishes.retry && !stays) {",
    to: "if (wishes.retry) {",
    tests: stay,
  },
  {
    name: "steer: a plan does not know that a host was rolled back",
    file: "lib/run/stops.ts",
    from: "  rolledBack,\n  held,",
    to: "  held,",
    tests: decision,
  },
  {
    name: "steer: what is put back seems to wait for approval",
    file: "lib/run/stops.ts",
    from: '  ["nothing", "correct", "test-over"].includes(kind);',
    to: '  ["correct", "test-over"].includes(kind);',
    tests: decision,
  },
  {
    name: "steer: a plan shows what is followed in place of what is tried",
    file: "lib/plan/aim.ts",
    from:
      "  if (!isTest) return { tip: soaked ?? tip, target, isTest: false };",
    to:
      "  if (!isTest || base) return { tip: soaked ?? tip, target, isTest: false };",
    tests: told,
  },
  {
    name: "steer: what a newer commit has left behind can be approved",
    file: "lib/report/record.ts",
    from: "const isUsed = isPast || isLeft ||",
    to: "const isUsed = isPast ||",
    tests: told,
  },
  {
    name: "steer: status waits for a person for ever",
    file: "lib/cli/command/status_wait.ts",
    from: "return decision.until === null;",
    to: "return false;",
    tests: told,
  },
  {
    name: "steer: a host that was rolled back seems to want an approval",
    file: "lib/run/approval.ts",
    from:
      "if (!waiting || waiting.approved || rolledBackOf(state)) return undefined;",
    to: "if (!waiting) return undefined;",
    tests: decision,
  },
  {
    name: "steer: a file is evaluated with the host's power",
    file: "lib/nix/evaluate.ts",
    from: '  if (isFile && typeof route === "string") {\n',
    to: '  if (isFile && typeof route === "number") {\n',
    tests: ["tests/nix/file_test.ts"],
  },
];
