/**
 * Deletes old systems, but never one that a rollback may need.
 *
 * @module
 */
import { type Effects, say } from "../base/effects.ts";
import { count, safeLines } from "../base/text.ts";
import type { State } from "../state/state.ts";
import { bootedSystem, systemProfile, systems } from "../host/system.ts";
import {
  collectGarbage,
  deleteGenerations,
  type Generation,
  generationsOf,
} from "./store.ts";
import type { Run } from "../run/run.ts";
import { endOf, runOutside } from "../run/outside.ts";

/**
 * Deletes old generations of the system profile, so that with the new one there
 * are `bootEntries`. Call it right before the bootloader's entries are made,
 * because they are made from the generations.
 *
 * A generation that cannot be deleted is only reported.
 *
 * @param system The new one.
 */
export async function forgetOldGenerations(
  run: Run,
  system: string,
): Promise<void> {
  const most = run.config.bootEntries;
  if (most === 0) return;
  const others = generationsOf(systemProfile)
    .filter((one) => one.system !== system);
  const numbers = expendable(others, rollbackTargets(run.state), most - 1);
  if (numbers.length === 0) return;
  const { program, args, timeout } = deleteGenerations(systemProfile, numbers);
  const deleted = await runOutside(run, [program, ...args], timeout);
  if (deleted.code === 0 && !deleted.timedOut) return;
  say(
    run.effects,
    "warning",
    `Cannot delete ${count(numbers.length, "old generation")}: ${
      deleted.lines.at(-1) ?? endOf(deleted)
    }`,
  );
}

/** Returns the systems that a rollback may need. */
function rollbackTargets({ lastGood, earlier, attempt }: State): Set<string> {
  const { running, bootDefault } = systems();
  const { previous } = attempt ?? {};
  const all = [
    running,
    bootDefault,
    bootedSystem(),
    previous?.running,
    previous?.bootDefault,
    lastGood?.system,
    earlier[0]?.system,
  ];
  return new Set(all.filter((system) => typeof system === "string"));
}

/**
 * Returns the numbers of the generations that are neither among the newest nor
 * needed.
 *
 * @param most How many of the newest are kept.
 */
export function expendable(
  generations: readonly Generation[],
  needed: ReadonlySet<string>,
  most: number,
): number[] {
  const newestFirst = generations.toSorted((a, b) => b.number - a.number);
  return newestFirst.slice(most).filter(({ system }) => !needed.has(system))
    .map(({ number }) => number);
}

/** Collects the garbage of the store. A failure is only reported. */
export async function collect(effects: Effects): Promise<void> {
  const finished = await effects.run(collectGarbage());
  if (finished.code === 0) {
    const said = new TextDecoder().decode(finished.stdout) + finished.stderr;
    const [freed = "done"] = /^.* freed$/m.exec(said) ?? [];
    return say(effects, "info", `Garbage collected: ${freed}`);
  }
  const why = safeLines(finished.stderr).at(-1) ?? `code ${finished.code}`;
  say(effects, "warning", `Cannot collect garbage: ${why}`);
}
