/**
 * Protects systems from garbage collection.
 *
 * @module
 */
import { ensureDir } from "@std/fs";
import { say } from "../base/effects.ts";
import { short } from "../base/text.ts";
import { addRoot } from "../nix/store.ts";
import type { Run } from "../run/run.ts";
import type { Deployment } from "../state/state.ts";

/** A system with its revision. */
type Kept = Pick<Deployment, "system" | "revision">;

const linkName = ({ system }: Kept) => system.slice(11, 11 + 32);

/**
 * Protects these systems, and those that wait for approval or for gates, and
 * stops protecting all others. A failure is only reported.
 */
export async function protect(
  run: Run,
  systems: readonly Kept[],
): Promise<void> {
  const roots = `${run.folder}/roots`;
  await ensureDir(roots);
  const there = new Set(Array.from(Deno.readDirSync(roots), (e) => e.name));
  const { waiting, gated } = run.state;
  const all = [...systems, waiting, gated].filter((one) => one !== undefined);
  const wanted = new Map(all.map((kept) => [linkName(kept), kept]));
  for (const [name, kept] of wanted) {
    if (there.delete(name)) continue;
    const finished = await run.effects.run(
      addRoot(`${roots}/${name}`, kept.system),
    );
    if (finished.code !== 0) {
      say(
        run.effects,
        "warning",
        `Cannot protect ${
          short(kept.revision)
        } from garbage collection: ${finished.stderr.trim()}`,
      );
    }
  }
  for (const name of there) await Deno.remove(`${roots}/${name}`);
}
