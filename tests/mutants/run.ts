/**
 * Changes the program in ways that would harm a host, one at a time, and looks
 * whether the tests notice: `./dev mutants [--only WORD]`.
 *
 * Exit code 1: a mutant survived, or its place in the code is gone.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { join } from "node:path";
import { run } from "../world/program.ts";
import { type Mutant, mutants } from "./mutants.ts";

const checkout = join(import.meta.dirname!, "..", "..");

/** How a mutant ended: `killed` is what it should be. */
type Fate = "killed" | "survived" | "no such place";

const { only } = parseArgs(Deno.args, { string: ["only"] });
const chosen = mutants.filter(({ name }) =>
  typeof only !== "string" || name.includes(only)
);
const fates = new Map<Fate, number>();
for (const mutant of chosen) {
  const begun = performance.now();
  const fate = await fateOf(mutant);
  fates.set(fate, (fates.get(fate) ?? 0) + 1);
  const took = Math.round((performance.now() - begun) / 1000);
  console.log(`${fate.padEnd(14)} ${mutant.name} (${took} s)`);
}
const killed = fates.get("killed") ?? 0;
console.log(`${killed} of ${chosen.length} mutants killed`);
Deno.exit(killed === chosen.length && killed > 0 ? 0 : 1);

/** Applies a mutant to a copy of the checkout, and runs its tests there. */
async function fateOf({ file, from, to, tests }: Mutant): Promise<Fate> {
  const folder = await Deno.makeTempDir({ prefix: "gitops-sync-mutant-" });
  try {
    await copyTo(folder);
    const path = join(folder, file);
    const text = await Deno.readTextFile(path);
    // In two places it would be unclear which one is meant.
    if (text.split(from).length !== 2) return "no such place";
    await Deno.writeTextFile(path, text.replace(from, () => to));
    const { code } = await run(
      [Deno.execPath(), "test", "-A", "--no-check", ...tests],
      { cwd: folder, timeout: 10 * 60_000 },
    );
    return code === 0 ? "survived" : "killed";
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
}
