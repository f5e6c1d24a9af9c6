/**
 * The mutants of `./dev mutants`: each takes away something that keeps a host
 * safe, and names the tests that must notice.
 *
 * @module
 */
import type { Mutant } from "./mutant.ts";
import { ofSources } from "./sources.ts";

const powerCut = ["tests/host/power_cut_test.ts"];
const telling = ["tests/runs/telling_test.ts"];
const seal = ["tests/state/seal_test.ts"];
const bootDefault = ["tests/runs/boot_default_test.ts"];
const hostile = ["tests/nix/hostile_test.ts"];
const isolated = ["tests/nix/isolated_test.ts"];
const units = [
  "tests/activation/judge_units_test.ts",
  "tests/activation/watch_units_test.ts",
];

const packaged = ["tests/nix/compiled_test.ts"];
const hostCases = ["tests/nix/cases_test.ts"];
const settled = ["tests/runs/settled_test.ts"];

/** All mutants. */
export const mutants: readonly Mutant[] = [
  ...ofSources,
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
    name: "units: what a person starts is blamed",
    file: "lib/activation/judge_units.ts",
    from:
      "  return unit.triggeredBy.length > 0 || wantersOf(unit).length === 0;",
    to: "  return unit.triggeredBy.length > 0;",
    tests: units,
  },
  {
    name: "units: what wanted a unit need not be wanted itself",
    file: "lib/activation/judge_units.ts",
    from:
      '    return grounds.ran.has(name) && by.load === "loaded" &&\n      isWanted(by, all, grounds, [...seen, unit.name]);',
    to: '    return grounds.ran.has(name) && by.load === "loaded";',
    tests: units,
  },
  {
    name: "boot: the way back does not look at the bootloader",
    file: "lib/activation/undo.ts",
    from: "    bootDefault() !== previous || startsAnother(run, previous);",
    to: "    bootDefault() !== previous;",
    tests: bootDefault,
  },
  {
    name: "boot: recovery does not look at the bootloader",
    file: "lib/sync/recover.ts",
    from: "    !startsAnother(run, previous.bootDefault);",
    to: "    true;",
    tests: bootDefault,
  },
  {
    name: "boot: an entry that was set by hand is no drift",
    file: "lib/run/decide.ts",
    from: "  if (boots && misled) {",
    to: "  if (false) {",
    tests: bootDefault,
  },
  {
    name: "boot: a run that is done before it begins does not look",
    file: "lib/sync/settled.ts",
    from: "    loaderFiles.map(writtenAt),\n",
    to: "",
    tests: bootDefault,
  },
  {
    name: "boot: a loader that is set by hand is not read back any more",
    file: "lib/activation/confirm.ts",
    from: "  const readBack = run.state.lastGood?.loaders ?? [];",
    to: "  const readBack: string[] = [];",
    tests: bootDefault,
  },
  {
    name: "switch: a process without a start is waited for",
    file: "lib/activation/switching.ts",
    from: "  if (startTime === undefined) return;\n",
    to: "",
    tests: ["tests/activation/switching_test.ts"],
  },
  {
    name: "switch: a process that nothing ends is waited for",
    file: "lib/activation/switching.ts",
    from: "    if (late > patience) throw unending(pid);\n",
    to: "    if (late > 100 * patience) return;\n",
    tests: ["tests/activation/switching_test.ts"],
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
  {
    name: "settled: somebody else's suspension is believed",
    file: "lib/sync/settled.ts",
    from: "    if (isOurs(Deno.lstatSync(path))) return textOf(path);",
    to: "    return textOf(path);",
    tests: settled,
  },
  },
  {
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
