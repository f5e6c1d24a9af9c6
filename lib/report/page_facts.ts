/**
 * What `gitops-sync serve` shows: the facts of `status` with the history and
 * the last plan, in one folder of the state folder.
 *
 * `serve` has no right to enter the state folder. Its unit sees this folder and
 * the logs of attempts there, and nothing else (lib/state/shown.ts).
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
 * The file of facts. Its time of last change is when the remote was asked last:
 * a run with nothing to do changes nothing else of it.
 */
export const factsIn = (folder: string) => `${pageIn(folder)}/facts.json`;
const planIn = (folder: string) => `${pageIn(folder)}/plan.json`;

/** How many lines of the history are shown. */
const mostEntries = 60;

/** The facts of a moment; the configuration and the clock are the reader's. */
type Kept = Omit<Facts, "config" | "now" | "nextRun" | "asked"> & {
  asked?: Omit<NonNullable<Facts["asked"]>, "at">;
};

/** What a page is made of. */
export interface PageFacts {
  facts: Facts;
  /** Which commits are not deployed, as far as the mirror has them. */
  behind?: Behind;
  /** What the last `gitops-sync plan` of root said. */
  plan?: ShownPlan;
}

/** A plan in words. */
export interface ShownPlan {
  /** When it was made, ISO 8601. */
  at: string;
  /** The commit that it is about. */
  revision: string;
  /** What would come, in one line. */
  headline: string;
  /** What else it says. */
  rows: readonly Row[];
}

/** What the file of facts holds. */
interface Written {
  /** Another version may write another shape. */
  program: string;
  facts: Kept;
  behind?: Behind;
}

/** Leaves the facts for the page, at once or not at all. */
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

/** Takes the facts away: they are not what they were. */
export function removeFacts(folder: string): void {
  try {
    Deno.removeSync(factsIn(folder));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Leaves what a plan said for the page. */
export function writePlan(folder: string, plan: ShownPlan): void {
  write(folder, planIn(folder), { program: project.version, plan });
}

/**
 * Puts a text in place of a file. What is lost in a power cut is written by the
 * next run, so nobody waits for the disk.
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
 * Reads what runs have left.
 *
 * @returns nothing where there is nothing of this version of the program.
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
