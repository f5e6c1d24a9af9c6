/**
 * What `gitops-sync serve` shows: the facts of `status` with the history and
 * the last plan, in one folder of the state folder.
 *
 * `serve` may not enter the state folder. Its unit sees only this folder and the
 * logs of attempts (lib/state/shown.ts).
 *
 * @module
 */
import project from "../../deno.json" with { type: "json" };
import type { Config } from "../config/schema.ts";
import { show } from "../state/shown.ts";
import type { Facts } from "./agreement.ts";
import type { Behind } from "./behind.ts";
import type { Row } from "./row.ts";

/** The folder in the state folder. */
const pageIn = (folder: string) => `${folder}/page`;

/**
 * The file of facts. Its modification time is the time of the last query to the
 * remote: a run with nothing to do changes only that.
 */
export const factsIn = (folder: string) => `${pageIn(folder)}/facts.json`;
const planIn = (folder: string) => `${pageIn(folder)}/plan.json`;

/** How many lines of the history are shown. */
const mostEntries = 60;

/** The stored facts; the reader adds the configuration and the clock. */
type Kept = Omit<Facts, "config" | "now" | "nextRun" | "asked"> & {
  asked?: Omit<NonNullable<Facts["asked"]>, "at">;
};

/** The facts for the page. */
export interface PageFacts {
  facts: Facts;
  /** Which commits are not deployed, as far as the mirror has them. */
  behind?: Behind;
  /** The result of root's last `gitops-sync plan`. */
  plan?: ShownPlan;
}

/** A plan in words. */
export interface ShownPlan {
  /** When it was made, ISO 8601. */
  at: string;
  /** The commit that it is about. */
  revision: string;
  /** What would change, in one line. */
  headline: string;
  /** The other rows. */
  rows: readonly Row[];
}

/** The content of the file of facts. */
interface Written {
  /** Another version may write another shape. */
  program: string;
  facts: Kept;
  behind?: Behind;
}

/** Writes the facts for the page, atomically. */
export function writeFacts(
  folder: string,
  facts: Facts,
  behind: Behind | undefined,
): void {
  const { config: _, now, nextRun: __, asked, ...rest } = facts;
  const { at = now, ...answer } = asked ?? {};
  const written: Written = {
    program: project.version,
    facts: {
      ...rest,
      history: rest.history.slice(-mostEntries),
      ...asked ? { asked: answer as Kept["asked"] & object } : {},
    },
    ...behind ? { behind } : {},
  };
  write(folder, factsIn(folder), written, at);
}

/** Removes the facts, because they are out of date. */
export function removeFacts(folder: string): void {
  try {
    Deno.removeSync(factsIn(folder));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Writes a plan for the page. */
export function writePlan(folder: string, plan: ShownPlan): void {
  write(folder, planIn(folder), { program: project.version, plan });
}

/**
 * Replaces a file. The next run writes it again after a power cut, so this does
 * not wait for the disk.
 */
function write(folder: string, path: string, what: unknown, time?: Date) {
  try {
    Deno.mkdirSync(pageIn(folder));
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  show(folder, pageIn(folder));
  // Several may write at the same time: a run, and a person who suspends.
  const temporary = `${path}.${Deno.pid}`;
  Deno.writeTextFileSync(temporary, JSON.stringify(what), { mode: 0o600 });
  if (time) Deno.utimeSync(temporary, time, time);
  show(folder, temporary);
  Deno.renameSync(temporary, path);
}

/**
 * Reads the facts that runs have written.
 *
 * @returns `undefined` if there are none of this version of the program.
 */
export function readPage(config: Config, now: Date): PageFacts | undefined {
  const folder = config.stateDirectory;
  const found = read<Written>(factsIn(folder));
  if (!found) return undefined;
  const { behind, facts: { asked, ...facts } } = found.what;
  const { plan } = read<{ plan?: ShownPlan }>(planIn(folder))?.what ?? {};
  return {
    facts: {
      ...facts,
      config,
      now,
      ...asked ? { asked: { ...asked, at: found.at } } : {},
    },
    ...behind ? { behind } : {},
    ...plan ? { plan } : {},
  };
}

function read<T>(path: string): { what: T; at: Date } | undefined {
  try {
    const { mtime } = Deno.statSync(path);
    const what = JSON.parse(Deno.readTextFileSync(path));
    return what?.program === project.version && mtime
      ? { what, at: mtime }
      : undefined;
  } catch {
    return undefined;
  }
}
