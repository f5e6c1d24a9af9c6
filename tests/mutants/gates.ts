/**
 * Mutants of gates.
 *
 * @module
 */
import type { Mutant } from "./mutant.ts";

const reports = ["tests/forge/reports_test.ts"];
const queries = [
  "tests/gates/promql_test.ts",
  "tests/gates/prometheus_test.ts",
];
const soak = ["tests/run/soak_test.ts"];
const runs = ["tests/runs/gates_test.ts"];

/** All of these. */
export const ofGates: readonly Mutant[] = [
  {
    name: "gates: a closed gate lets a revision through",
    file: "lib/sync/pipeline.ts",
    from: '  if ("gated" in passed) return passed;\n',
    to:
      '  if ("gated" in passed) return await putInPlace(run, { ...proven, done: "cleared" });\n',
    tests: runs,
  },
  {
    name: "gates: a name that matches nothing is open",
    file: "lib/forge/judge.ts",
    from: "    return { isOpen: false, why: `no report",
    to: "    return { isOpen: true, why: `no report",
    tests: reports,
  },
  {
    name: "gates: one successful check of several is enough",
    file: "lib/forge/judge.ts",
    from: "  if (wrong.length === 0) {",
    to: "  if (wrong.length < of.length) {",
    tests: reports,
  },
  {
    name: "gates: a host waits for itself",
    file: "lib/forge/judge.ts",
    from: "    name !== own && ",
    to: "    ",
    tests: reports,
  },
  {
    name: "gates: the first page is all",
    file: "lib/forge/pages.ts",
    from: "  return !isFull && !isMore && !isNamed;",
    to: "  return true;",
    tests: reports,
  },
  {
    name: "gates: an older report counts",
    file: "lib/forge/reports.ts",
    from: "report.id > known.id",
    to: "report.id < known.id",
    tests: reports,
  },
  {
    name: "gates: a report without a number counts",
    file: "lib/forge/reports.ts",
    from: 'if (typeof id !== "number") return undefined;',
    to: 'if (typeof id !== "number") id = 0;',
    tests: reports,
  },
  {
    name: "gates: what has opened stays closed on record",
    file: "lib/gates/pass.ts",
    from: "    await forgetClosed(run, subject);\n",
    to: "",
    tests: ["tests/locks/gated_runs_test.ts"],
  },
  {
    name: "gates: a wait for a slot ends no told gate",
    file: "lib/sync/lasting.ts",
    from: "if (isPast(facts, gatedNow)) return undefined;",
    to: "",
    tests: ["tests/locks/gated_runs_test.ts"],
  },
  {
    name: "locks: a key is made without a lease",
    file: "lib/locks/etcd.ts",
    from: "if (!/^[1-9]\\d*$/.test(lease)) {",
    to: "if (false) {",
    tests: ["tests/locks/etcd_test.ts"],
  },
  {
    name: "gates: reports of another commit count",
    file: "lib/forge/reports.ts",
    from: "report.revision !== undefined && report.revision !== revision",
    to: "false",
    tests: reports,
  },
  {
    name: "gates: 0 is true",
    file: "lib/gates/promql.ts",
    from: "Number.isFinite(value) && value !== 0",
    to: "Number.isFinite(value)",
    tests: queries,
  },
  {
    name: "gates: an answer with a warning is whole",
    file: "lib/gates/promql.ts",
    from: "Array.isArray(warnings) && warnings.length > 0",
    to: "false",
    tests: queries,
  },
  {
    name: "gates: a step without a value is true",
    file: "lib/gates/promql.ts",
    from: "  while (i >= 0 && known[i]) i--;",
    to: "  while (i >= 0 && known[i] !== false) i--;",
    tests: queries,
  },
  {
    name: "gates: a name goes into a query as it is",
    file: "lib/gates/promql.ts",
    from: "escaped(values[name])",
    to: "values[name]",
    tests: queries,
  },
  {
    name: "gates: a redirect is followed",
    file: "lib/base/get.ts",
    from: '      redirect: "manual",\n',
    to: "",
    tests: ["tests/base/get_test.ts"],
  },
  {
    name: "gates: what has not soaked is deployed",
    file: "lib/run/soak.ts",
    from: "    .findLast((one) => hasSoaked(one, soak, now));",
    to: "    .findLast(() => true);",
    tests: soak,
  },
  {
    name: "gates: a clock that is set forward ends a soak",
    file: "lib/sync/sightings.ts",
    from: "    .map((one) => anchored(one, now, clock));",
    to: "    .map((one) => one);",
    tests: runs,
  },
  {
    name: "gates: what a branch no longer has is deployed",
    file: "lib/git/soaked.ts",
    from: "  if (!isBehind) throw goneError(run, tip);\n",
    to: "",
    tests: runs,
  },
  {
    name: "gates: nobody says why gates are skipped",
    file: "lib/cli/skip_gates.ts",
    from: '  if (reason === "") {',
    to: "  if (false) {",
    tests: runs,
  },
];
