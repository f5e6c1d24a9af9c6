/**
 * The lines for a stage under way: what it does, and what is at work in it.
 * Pure.
 *
 * @module
 */
import type { Progress, Task } from "../../base/effects.ts";
import { formatDuration } from "../../base/duration.ts";
import { shown } from "../../base/redact.ts";
import { withoutColour } from "../../base/text.ts";
import { fill, fit, widthOf } from "./width.ts";

/** Colours text, or leaves it as it is. */
export type Ink = (code: string, text: string) => string;

/** What is shown at most of what is at work. */
const mostTasks = 8;
const nameWidth = 10;
const dim = "2";

/** One line that fits: mark, stage, text and, at its end, the time. */
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
 * What is at work, a line each, and the line that was written last.
 *
 * @param rows How many lines there may be.
 */
export function taskLines(
  { tasks = [], last }: Progress,
  columns: number,
  rows: number,
  ink: Ink,
): string[] {
  const said = last === undefined ? "" : clean(last).trim();
  const forSaid = said === "" || rows < 2 ? 0 : 1;
  const most = Math.min(mostTasks, rows - forSaid);
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
  // The name may have what the note leaves, and most of it in any case.
  const said = note === "" ? "" : `  ${clean(note)}`;
  const forNote = Math.min(widthOf(said), Math.floor(room * 0.4));
  const label = fill(clean(name), room - forNote);
  return `  ${mark} ${label}${fill(said, forNote)}  ${took}`;
}

/** The line for the stage without what its tasks say already. */
export function headOf({ text, tasks = [] }: Progress): string {
  return tasks.length > 0 ? text.replace(/ · .*$/s, "") : text;
}

function clean(text: string): string {
  return shown(withoutColour(text.replaceAll("\t", " ")));
}
