/**
 * Formats the lines of the current stage: what it does, and its tasks. Pure.
 *
 * @module
 */
import type { Progress, Task } from "../../base/effects.ts";
import { formatDuration } from "../../base/duration.ts";
import { shown } from "../../base/redact.ts";
import { withoutColour } from "../../base/text.ts";
import { fill, fit, widthOf } from "./width.ts";

/** Colours text, or leaves it unchanged. */
export type Ink = (code: string, text: string) => string;

/** The maximum number of tasks. */
const maxTasks = 8;
const nameWidth = 10;
const dim = "2";

/** Returns one line that fits: mark, stage, text and, at the end, the time. */
export function stageLine(
  mark: string,
  stage: string,
  text: string,
  took: string,
  columns: number,
): string {
  const room = Math.max(0, columns - nameWidth - took.length - 5);
  const rest = `${stage.padEnd(nameWidth)}${fill(clean(text), room)}  ${took}`;
  // A line that does not fit could not be redrawn in place.
  return `${mark} ${rest.slice(0, Math.max(0, columns - 2))}`;
}

/**
 * Returns a line for each task, and the last line of output.
 *
 * @param rows The maximum number of lines.
 */
export function taskLines(
  { tasks = [], last }: Progress,
  columns: number,
  rows: number,
  ink: Ink,
): string[] {
  const said = last === undefined ? "" : clean(last).trim();
  const forSaid = said === "" || rows < 2 ? 0 : 1;
  const most = Math.min(maxTasks, rows - forSaid);
  const isAll = tasks.length <= most;
  const seen = isAll ? tasks : tasks.slice(0, Math.max(0, most - 1));
  const lines = seen.map((task) => taskLine(task, columns));
  if (!isAll && most > 0) {
    lines.push(fit(`  … and ${tasks.length - seen.length} more`, columns - 1));
  }
  if (forSaid === 1) lines.push(ink(dim, fit(`  │ ${said}`, columns - 1)));
  return lines;
}

function taskLine({ kind, name, ms, note }: Task, columns: number): string {
  const mark = kind === "build" ? "•" : "↓";
  const took = formatDuration(ms);
  const room = columns - took.length - 7;
  if (room < 8) return fit(`  ${mark} ${clean(name)}`, columns - 1);
  // The name gets the space that the note leaves, and at least 60%.
  const said = note === "" ? "" : `  ${clean(note)}`;
  const forNote = Math.min(widthOf(said), Math.floor(room * 0.4));
  const label = fill(clean(name), room - forNote);
  return `  ${mark} ${label}${fill(said, forNote)}  ${took}`;
}

/** Returns the line for the stage without what its tasks already show. */
export function headOf({ text, tasks = [] }: Progress): string {
  return tasks.length > 0 ? text.replace(/ · .*$/s, "") : text;
}

function clean(text: string): string {
  return shown(withoutColour(text.replaceAll("\t", " ")));
}
