/**
 * The number of attempts by result, since the program was installed. The history
 * drops old attempts, so the numbers are stored separately.
 *
 * @module
 */
import { readIfThere, writeWhole } from "../host/files.ts";
import {
  isNumber,
  isText,
  object,
  optional,
  type Shape,
} from "../state/shape.ts";
import type { HistoryEntry } from "../state/state.ts";

/** The content of `metrics.json`. */
export interface Counts {
  version: 1;
  results: Readonly<Record<string, number>>;
  /** Failures by stage. */
  failures: Readonly<Record<string, number>>;
  /** The attempt that was counted last. */
  last?: { id: string; at: string };
  /** The revision that was deployed last with its secrets proven. */
  proven?: string;
}

const none: Counts = { version: 1, results: {}, failures: {} };

const pathIn = (folder: string) => `${folder}/metrics.json`;

const numbers: Shape = (value) =>
  object({})(value) && Object.values(value as object).every(isNumber);

const shape: Shape = object({
  results: numbers,
  failures: numbers,
  last: optional(object({ id: isText, at: isText })),
  proven: optional(isText),
});

/** Reads the counts; if they cannot be read, they begin at zero. */
export function readCounts(folder: string): Counts {
  try {
    const counts = JSON.parse(readIfThere(pathIn(folder)) ?? "null");
    return shape(counts) ? counts : none;
  } catch (error) {
    if (error instanceof SyntaxError) return none;
    throw error;
  }
}

/** Counts each attempt that was not counted yet. */
export function counted(
  counts: Counts,
  history: readonly HistoryEntry[],
): Counts {
  const { last } = counts;
  const at = history.findIndex(({ id }) => id === last?.id);
  const news = at >= 0
    ? history.slice(at + 1)
    : history.filter((one) => !last || one.at > last.at);
  const results = { ...counts.results };
  const failures = { ...counts.failures };
  let { proven } = counts;
  for (const { result, stage, stages, revision } of news) {
    results[result] = (results[result] ?? 0) + 1;
    if (result === "failed" && stage) {
      failures[stage] = (failures[stage] ?? 0) + 1;
    }
    const isProven = stages.some((one) => one.stage === "prove");
    if (result === "deployed" && isProven) proven = revision;
  }
  const newest = history.at(-1);
  return {
    version: 1,
    results,
    failures,
    ...(newest ? { last: { id: newest.id, at: newest.at } } : {}),
    ...(proven === undefined ? {} : { proven }),
  };
}

/** Writes the counts, if they have changed. */
export async function writeCounts(
  folder: string,
  before: Counts,
  counts: Counts,
): Promise<void> {
  if (JSON.stringify(before) === JSON.stringify(counts)) return;
  await writeWhole(pathIn(folder), `${JSON.stringify(counts)}\n`);
}
