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

const packaged = ["tests/nix/compiled_test.ts"];
const hostCases = ["tests/nix/cases_test.ts"];
const settled = ["tests/runs/settled_test.ts"];

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
    name: "package: packages of npm are looked for",
    file: "nix/build.sh",
    from: `sed -E 's|"npm:(@?[^@"]+)@[^/"]+/|"../../npm/\\1/|' "$file" >mapped`,
    to: 'cat "$file" >mapped',
    tests: packaged,
  },
  {
    name: "package: the binary keeps a code cache",
    file: "nix/build.sh",
    from: "compiled='--no-code-cache'",
    to: "compiled=''",
    tests: packaged,
  },
  {
    name: "package: the times of files get in",
    file: "nix/build.sh",
    from: "\tfind . -exec touch -h -d @1 {} +\n",
    to: "",
    tests: packaged,
  },
  {
    name: "package: a module that is loaded late is left out",
    file: "nix/build.sh",
    from: "late='lib/cli/main.ts lib/cli/worker.ts ",
    to: "late='lib/cli/main.ts ",
    tests: packaged,
  },
  {
    name: "package: an odd TMPDIR reaches the runtime",
    file: "nix/start.sh",
    from: "then unset TMPDIR; fi",
    to: "then :; fi",
    tests: packaged,
  },
  {
    name: "package: a folder that is no text reaches the runtime",
    file: "nix/start.sh",
    from: 'gitops_sync_is_utf8 "$PWD" ||',
    to: "true ||",
    tests: packaged,
  },
  {
    name: "package: a variable that is no text is a bug",
    file: "lib/base/os_error.ts",
    from:
      "  if (error instanceof Deno.errors.InvalidData) return notText(error);\n",
    to: "",
    tests: ["tests/base/os_error_test.ts"],
  },
  {
    name: "module: secrets that the program reads may be in the store",
    file: "nix/assertions.nix",
    from: "++ map aboutReadFile readFiles\n",
    to: "",
    tests: hostCases,
  },
  {
    name: "module: a service that died tells the options alone",
    file: "nix/beside.nix",
    from: "lib.toList cfg.settings.onFailure or [ ]",
    to: "lib.toList cfg.onFailure",
    tests: hostCases,
  },
  {
    name: "module: settings of a weaker priority are lost",
    file: "nix/program-options.nix",
    from: "lib.getAttrFromPath (pathOf option) config",
    to: "null",
    tests: hostCases,
  },
  {
    name: "module: a group without values is taken",
    file: "nix/assertions.nix",
    from: "assertion = lost == [ ];",
    to: "assertion = true;",
    tests: hostCases,
  },
  {
    name: "settled: a suspension is not looked at",
    file: "lib/sync/settled.ts",
    from: "    suspensionIn(folder),\n",
    to: "",
    tests: settled,
  },
];
