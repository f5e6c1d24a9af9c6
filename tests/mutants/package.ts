/**
 * Mutants of the package, the module and the run with nothing to do.
 *
 * @module
 */
import type { Mutant } from "./mutant.ts";

const packaged = ["tests/nix/compiled_test.ts"];
const hostCases = ["tests/nix/cases_test.ts"];
const settled = ["tests/runs/settled_test.ts"];

/** All of these. */
export const ofPackage: readonly Mutant[] = [
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
];
