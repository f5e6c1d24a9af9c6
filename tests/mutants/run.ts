/**
 * Changes the program in ways that would harm a host, one at a time, and looks
 * whether the tests notice, or the fault campaign: `./dev mutants [--only WORD]
 * [--minutes N]`.
 *
 * Exit code 1: a mutant survived, or its place in the code is gone, or there was
 * no time left for one.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { join } from "node:path";
import { run } from "../world/program.ts";
import type { Mutant } from "./mutant.ts";
import { mutants } from "./mutants.ts";

const checkout = join(import.meta.dirname!, "..", "..");

/** How a mutant ended: `killed` is what it should be. */
type Fate =
  | "killed"
  | "survived"
  | "no such place"
  | "tests fail anyway"
  | "no time";

/** Milliseconds that the tests of one mutant may take, on a busy machine too. */
const patience = 8 * 60_000;

const { only, minutes } = parseArgs(Deno.args, { string: ["only", "minutes"] });
const chosen = mutants.filter(({ name }) =>
  typeof only !== "string" || name.includes(only)
);
const end = performance.now() + Number(minutes ?? 90) * 60_000;
/** Whether tests pass without a mutant, by their names. */
const unchanged = new Map<string, boolean>();
const fates = new Map<Fate, number>();
for (const mutant of chosen) {
  const begun = performance.now();
  const fate = begun > end ? "no time" : await fateOf(mutant);
  fates.set(fate, (fates.get(fate) ?? 0) + 1);
  const took = Math.round((performance.now() - begun) / 1000);
  console.log(`${fate.padEnd(18)} ${mutant.name} (${took} s)`);
}
const killed = fates.get("killed") ?? 0;
console.log(`${killed} of ${chosen.length} mutants killed`);
Deno.exit(killed === chosen.length && killed > 0 ? 0 : 1);

type Look = Pick<Mutant, "tests" | "faults">;

/** Whether all is well in a copy of the checkout that nothing is changed in. */
async function passes(look: Look): Promise<boolean> {
  const folder = await Deno.makeTempDir({ prefix: "gitops-sync-mutant-" });
  try {
    await copyTo(folder);
    return await pass(folder, look);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Tests that do not end in time have noticed something, too. */
async function pass(folder: string, { tests, faults }: Look) {
  const argv = faults
    ? ["unshare", "--mount", Deno.execPath(), "run", "-A"]
      .concat("tests/faults/campaign.ts", ...faults)
    : [Deno.execPath(), "test", "-A", "--no-check", "--fail-fast"]
      .concat(...tests ?? []);
  const env = {
    TMPDIR: Deno.env.get("TMPDIR") ?? "/tmp",
    // As ./dev faults has it.
    NO_COLOR: "1",
  };
  const { code, stderr } = await run(argv, {
    cwd: folder,
    env,
    timeout: patience,
  }).catch((error: Error) => ({ code: 1, stderr: error.message }));
  // A campaign that could not begin has found nothing.
  return faults ? !/: exit -?\d+, BAD: /.test(stderr) : code === 0;
}

/** Applies a mutant to a copy of the checkout, and looks at it there. */
async function fateOf({ file, from, to, ...look }: Mutant): Promise<Fate> {
  const folder = await Deno.makeTempDir({ prefix: "gitops-sync-mutant-" });
  try {
    await copyTo(folder);
    const path = join(folder, file);
    const text = await Deno.readTextFile(path);
    // In two places it would be unclear which one is meant.
    if (text.split(from).length !== 2) return "no such place";
    await Deno.writeTextFile(path, text.replace(from, () => to));
    if (await pass(folder, look)) return "survived";
    const key = JSON.stringify([look.tests, look.faults]);
    const known = unchanged.get(key) ?? await passes(look);
    unchanged.set(key, known);
    return known ? "killed" : "tests fail anyway";
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** All that Git knows of, as it is in the work tree. */
async function copyTo(folder: string): Promise<void> {
  const list = ["git", "ls-files", "-z", "-co", "--exclude-standard"];
  const { stdout } = await run(list, { cwd: checkout });
  const names = stdout.split("\0").filter((name) => name !== "");
  const copy = ["cp", "--archive", "--parents", `--target-directory=${folder}`];
  await run([...copy, ...names], { cwd: checkout });
  // Tests of the flake ask Git what belongs to it.
  await run(["git", "init", "--quiet"], { cwd: folder });
}
