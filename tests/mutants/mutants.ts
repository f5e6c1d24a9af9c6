/**
 * The mutants of `./dev mutants`: each takes away something that keeps a host
 * safe, and names the tests that must notice.
 *
 * @module
 */

/** One change of the program. */
export interface Mutant {
  /** What the changed program no longer does. */
  name: string;
  file: string;
  /** The text that is replaced; it must stand there once. */
  from: string;
  to: string;
  /** The tests to run, as paths from the top. */
  tests: readonly string[];
}

const powerCut = ["tests/host/power_cut_test.ts"];
const telling = ["tests/runs/telling_test.ts"];
const seal = ["tests/state/seal_test.ts"];
const units = [
  "tests/activation/judge_units_test.ts",
  "tests/activation/watch_units_test.ts",
];

/** All mutants. */
export const mutants: readonly Mutant[] = [
  {
    name: "a file is renamed before it is on the disk",
    file: "lib/host/files.ts",
    from:
      "    if (time) await file.utime(time, time);\n    await file.sync();\n",
    to: "    if (time) await file.utime(time, time);\n",
    tests: powerCut,
  },
  {
    name: "an appended line is not on the disk",
    file: "lib/host/files.ts",
    from: "    await writeAll(file, text);\n    await file.sync();\n",
    to: "    await writeAll(file, text);\n",
    tests: powerCut,
  },
  {
    name: "the name of a file is not on the disk",
    file: "lib/host/files.ts",
    from: "    await folder.sync();\n",
    to: "",
    tests: powerCut,
  },
  {
    name: "the checksum of the state is not compared",
    file: "lib/state/state_file.ts",
    from: "  return Deno.statSync(path).mtime?.getTime() === sealedAt;",
    to: "  return false;",
    tests: seal,
  },
  {
    name: "the state before the attempt is not kept",
    file: "lib/state/state_file.ts",
    from: "  if (state.attempt) await keepCopy(folder);\n",
    to: "",
    tests: seal,
  },
  {
    name: "a message that can't be written ends the run",
    file: "lib/cli/output/print.ts",
    from:
      "    return error instanceof Error ? error : new Error(String(error));",
    to: "    throw error;",
    tests: telling,
  },
  {
    name: "a line of the history that can't be written is lost",
    file: "lib/state/unwritten.ts",
    from: "      return entries.slice(i).slice(-mostUnwritten);",
    to: "      return [];",
    tests: telling,
  },
  {
    name: "a history that can't be written makes a failure",
    file: "lib/state/unwritten.ts",
    from: "      if (!(error instanceof SyncError)) throw error;",
    to: "      throw error;",
    tests: telling,
  },
  {
    name: "the umask of the shell counts",
    file: "lib/cli/main.ts",
    from: "    Deno.umask(0o077);\n",
    to: "",
    tests: telling,
  },
  {
    name: "units: what ran before need not run",
    file: "lib/activation/judge_units.ts",
    from:
      "  return grounds.ran.has(unit.name) && wanted && !isAtRest(unit, all)",
    to: "  return false",
    tests: units,
  },
  {
    name: "units: an idle one is blamed",
    file: "lib/activation/judge_units.ts",
    from:
      "  return grounds.ran.has(unit.name) && wanted && !isAtRest(unit, all)",
    to: "  return grounds.ran.has(unit.name) && wanted",
    tests: units,
  },
  {
    name: "units: coincidence is blamed",
    file: "lib/activation/judge_units.ts",
    from: "  return !isChance(unit, grounds);",
    to: "  return true;",
    tests: units,
  },
  {
    name: "units: what failed before is blamed",
    file: "lib/activation/judge_units.ts",
    from: "  if (grounds.failed.has(name)) return false;\n",
    to: "",
    tests: units,
  },
  {
    name: "units: restarts are not counted",
    file: "lib/activation/judge_units.ts",
    from: "    return unit.restarts > then.restarts ||",
    to: "    return",
    tests: units,
  },
  {
    name: "units: a systemd that does not answer counts as well",
    file: "lib/activation/units.ts",
    from: "      if (isLate) return { ...nothing, isBlind: true };",
    to: "      if (isLate) return nothing;",
    tests: units,
  },
  {
    name: "units: an end is believed without how its process ended",
    file: "lib/host/systemd.ts",
    from: '    return result === "success" ? undefined : { result, code: 1 };',
    to: "    return { result, code: 0 };",
    tests: ["tests/host/systemd_test.ts"],
  },
  {
    name: "a secret's merge keys may take all memory",
    file: "lib/secrets/reading/facts.ts",
    from: "if (excess !== undefined) {",
    to: 'if (excess === "") {',
    tests: ["tests/secrets/excess_test.ts"],
  },
  {
    name: "a secret's key group repeats without end",
    file: "lib/secrets/sops/metadata.ts",
    from: "isMap(fields) && left > 0",
    to: "isMap(fields)",
    tests: ["tests/secrets/excess_test.ts"],
  },
  {
    name: "a secret's age file is damaged where a key file is bad",
    file: "lib/secrets/age.ts",
    from: '    ? "failed"\n',
    to: '    ? "damaged"\n',
    tests: ["tests/secrets/reasons_test.ts"],
  },
  {
    name: "a secret that age had no time for is damaged",
    file: "lib/secrets/opening.ts",
    from: 'if (kind === "timed-out") {',
    to: 'if (kind === "plugin" && bytes.length === 0) {',
    tests: ["tests/secrets/reasons_test.ts"],
  },
  {
    name: "a secret that a killed sops left is broken",
    file: "lib/secrets/sops/sops.ts",
    from: "if (isEnded) {",
    to: "if (isEnded && finished.timedOut) {",
    tests: ["tests/secrets/reasons_test.ts"],
  },
  {
    name: "a secret's missing key holds the revision",
    file: "lib/secrets/problems.ts",
    from: "identities.length > 0 && !lacksKey",
    to: "identities.length > 0",
    tests: ["tests/secrets/reasons_test.ts"],
  },
  {
    name: "a secret of two formats passes",
    file: "lib/secrets/installed_problems.ts",
    from: "return other.format === secret.format",
    to: "return other.file === secret.file",
    tests: ["tests/secrets/reasons_test.ts"],
  },
  {
    name: "a secret's plugin that fails holds the revision",
    file: "lib/secrets/installed_problems.ts",
    from: "if (byPlugin) {",
    to: "if (byPlugin && !said) {",
    tests: ["tests/secrets/reasons_test.ts"],
  },
  {
    name: "a secret that took too long is broken",
    file: "lib/secrets/opening.ts",
    from: 'passing.transient && shown?.reason === "broken"',
    to: 'passing.transient && shown?.reason === "unread"',
    tests: ["tests/secrets/reasons_test.ts"],
  },
];
