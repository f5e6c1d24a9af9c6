/**
 * Mutants of what is written down: files, state, history, messages.
 *
 * @module
 */
import type { Mutant } from "./mutant.ts";

const powerCut = ["tests/host/power_cut_test.ts"];
const telling = ["tests/runs/telling_test.ts"];
const seal = ["tests/state/seal_test.ts"];

/** All of these. */
export const ofFaults: readonly Mutant[] = [
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
];
