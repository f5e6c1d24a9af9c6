/**
 * Removes secrets and terminal control sequences from a log.
 *
 * @module
 */
import type { Progress } from "../base/effects.ts";
import { shown } from "../base/redact.ts";
import { withoutColour } from "../base/text.ts";
import type { LogEntry } from "./log_entries.ts";

/**
 * Returns entries as lines; cleans all output of programs at once, which is
 * fast.
 */
export function linesOf(entries: readonly LogEntry[]): string {
  const written = entries.flatMap((one) => one.kind === "line" ? [one] : []);
  const texts = cleaned(
    written.map(({ text }) =>
      /[\r\n]/.test(text) ? text.replace(/[\r\n]+/g, " ") : text
    ).join("\n"),
  ).split("\n");
  let at = 0;
  return entries.map((entry) => {
    if (entry.kind !== "line") return `${JSON.stringify(withClean(entry))}\n`;
    const text = JSON.stringify(texts[at++]);
    return `{"at":${entry.at},"kind":"line","stage":"${entry.stage}","text":${text}}\n`;
  }).join("");
}

function withClean(entry: LogEntry): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(entry).map(([key, value]) => [
      key,
      typeof value === "string"
        ? cleaned(value)
        : Array.isArray(value)
        ? value.map((one) => cleaned(String(one)))
        : value,
    ]),
  );
}

/** Returns the cleaned progress of a stage. */
export function cleanProgress({ text, tasks, last }: Progress): Progress {
  return {
    text: cleaned(text),
    ...tasks && {
      tasks: tasks.map((task) => ({
        ...task,
        name: cleaned(task.name),
        note: cleaned(task.note),
      })),
    },
    ...last === undefined ? {} : { last: cleaned(last) },
  };
}

function cleaned(text: string): string {
  return shown(withoutColour(text.replaceAll("\t", "  ")));
}
