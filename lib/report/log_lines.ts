/**
 * The log of an attempt as lines for people.
 *
 * @module
 */
import { messageLines } from "./log.ts";
import { formatDuration } from "../base/duration.ts";
import { sizeText } from "../base/size.ts";
import { short } from "../base/text.ts";
import type { LogEntry } from "../state/log_entries.ts";
import { timeOf } from "./times.ts";

/** Returns an entry as lines, each with its time. */
export function logLines(entry: LogEntry): string[] {
  const time = timeOf(new Date(entry.at).toISOString()).slice(11);
  return linesOf(entry).map((line) => `${time} ${line}`);
}

function linesOf(entry: LogEntry): string[] {
  switch (entry.kind) {
    case "attempt":
      return [`attempt ${entry.id} of ${short(entry.revision)}`];
    case "start":
      return [`${entry.stage}: begins`];
    case "done":
      return [`${entry.stage}: ${entry.text} (${formatDuration(entry.ms)})`];
    case "failed":
      return [`${entry.stage}: failed (${formatDuration(entry.ms)})`];
    case "line":
      return [`${entry.stage}| ${entry.text}`];
    case "omitted":
      return [`… ${sizeText(entry.bytes)} of the log omitted …`];
    case "message":
      return messageLines(entry);
    case "end":
      return [
        entry.exit === 0 && entry.text !== ""
          ? `${entry.result}: ${entry.text}`
          : `${entry.result} (exit code ${entry.exit})`,
      ];
  }
}
