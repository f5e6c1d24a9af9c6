/**
 * Mutants of what is written down: files, state, history, messages.
 *
 * @module
 */
import type { Mutant } from "./mutant.ts";

const powerCut = ["tests/host/power_cut_test.ts"];
const telling = ["tests/runs/telling_test.ts"];
const seal = ["tests/state/seal_test.ts"];

/** One kind of fault at one point, for the campaign. */
const campaign = (only: string, place: string, first = 1, seeds = 1) => [
  ...["--only", `^${only}$`, "--place", place],
  ...["--first", String(first), "--seeds", String(seeds), "--minutes", "6"],
];

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
  {
    name: "a Git that lists nothing has no files",
    file: "lib/trust/contain.ts",
    from: "finished.code === 0 && finished.stdout.at(-1) === 0",
    to: "finished.code === 0 || finished.stdout.at(-1) === 0",
    tests: ["tests/runs/blind_test.ts"],
  },
  {
    name: "a Git that was killed has no such commit",
    file: "lib/git/mirror.ts",
    from:
      "  if (finished.code === 0 && said === `${name} missing`) return false;",
    to: "  return false;",
    tests: ["tests/git/ancestry_test.ts"],
  },
  {
    name: "what could not be looked at has ended",
    file: "lib/process/kernel.ts",
    from: "  throw new UnseenError(`${path}: ${why}`);",
    to: "  throw new Deno.errors.NotFound(why);",
    tests: ["tests/host/unseen_test.ts"],
  },
  {
    name: "the state is written before the history",
    file: "lib/report/record.ts",
    from: "  const entry = entryOf(run, ended);\n",
    to:
      "  const entry = entryOf(run, ended);\n  await (await import('../state/state_file.ts')).writeState(run.folder, stateAfter(run, ended));\n",
    tests: ["tests/runs/order_test.ts"],
  },
  {
    name: "the previous system is not kept",
    file: "lib/activation/activate.ts",
    from: "  await protectPrevious(run, previous.running);\n",
    to: "",
    tests: ["tests/runs/order_test.ts"],
  },
  {
    name: "campaign: a candidate is confirmed before it is healthy",
    file: "lib/sync/pipeline.ts",
    from: "    const healthy = await run.stage(\n",
    to:
      '    await (await import("../activation/confirm.ts")).setBootDefault(run, candidate.system);\n    const healthy = await run.stage(\n',
    faults: campaign(
      "power is cut, the page cache is lost / health",
      "world",
      2,
    ),
  },
  {
    name: "campaign: the stage is written down too late",
    file: "lib/run/run.ts",
    from: "    await this.note({ stage });\n",
    to: '    if (stage !== "activate") await this.note({ stage });\n',
    faults: campaign("program gets SIGKILL / activate", "world", 1, 2),
  },
  {
    name: "campaign: another stage is told after a cut",
    file: "lib/report/agreement.ts",
    from: "was interrupted at the ${attempt.stage} stage.",
    to: "was interrupted at the decide stage.",
    faults: campaign("program gets SIGKILL / activate", "world", 1, 2),
  },
  {
    name: "campaign: a state is not on the disk",
    file: "lib/host/files.ts",
    from:
      "    if (time) await file.utime(time, time);\n    await file.sync();\n",
    to: "    if (time) await file.utime(time, time);\n",
    faults: campaign("power is cut, the page cache is lost / build", "world"),
  },
  {
    name: "campaign: the dead-man's switch is not armed",
    file: "lib/activation/dead_mans_switch.ts",
    from: "  await disarm(run);\n  // If the old",
    to: "  if (previous !== null) return;\n  // If the old",
    faults: campaign("program gets SIGKILL / health", "machine", 2),
  },
  {
    name: "campaign: the way back has no switch of its own",
    file: "lib/activation/undo.ts",
    from: "    await rearm(run, previous);\n",
    to: "",
    faults: campaign("program gets SIGKILL / way back", "machine", 1, 3),
  },
  {
    name: "campaign: a Nix that builds nothing deploys what was built before",
    file: "lib/nix/build.ts",
    from: "  await removeLink(`${folder}/result`);\n",
    to: "",
    faults: campaign("Nix says nothing / any call", "world", 1, 4),
  },
  {
    name: "a /boot that is broken for all holds the revision",
    file: "lib/activation/blame.ts",
    from: '  if (error.reason === "boot-default") {\n',
    to: '  if (error.reason === "") {\n',
    tests: ["tests/runs/blame_test.ts"],
  },
  {
    name: "a server that is away is waited for by the wall clock",
    file: "lib/vault/api.ts",
    from: "  const end = effects.monotonic() + patience;\n",
    to: "  const end = Date.now() + patience;\n",
    tests: ["tests/vault/retries_test.ts"],
  },
];
