/**
 * The log of an attempt as HTML.
 *
 * @module
 */
import { shown } from "../../base/redact.ts";
import { logLines } from "../../report/log_lines.ts";
import type { LogEntry } from "../../state/log_entries.ts";
import { readLog } from "../../state/log_reader.ts";
import { type Html, html } from "../html.ts";

/** How many lines of the beginning and of the end a page shows. */
const mostFirst = 300, mostLast = 1500;

/** Formats lines of a log, each in its colour. */
export function linesHtml(entries: readonly LogEntry[]): Html {
  return html`${
    entries.map((entry) => {
      const tone = toneOf(entry);
      const text = `${logLines(entry).map(shown).join("\n")}\n`;
      return tone === "" ? text : html`<span class="${tone}">${text}</span>`;
    })
  }`;
}

function toneOf(entry: LogEntry): string {
  switch (entry.kind) {
    case "failed":
      return "bad";
    case "done":
      return "good";
    case "line":
    case "start":
      return "soft";
    case "end":
      return entry.exit === 0 ? "good" : "bad";
    case "message":
      if (entry.level === "error") return "bad";
      return entry.level === "warning" ? "warning" : "";
    default:
      return "";
  }
}

/** The beginning and the end of a log. */
export interface Excerpt {
  first: readonly LogEntry[];
  last: readonly LogEntry[];
  /** The number of omitted entries between them. */
  omitted: number;
}

/** Reads the part of a log that a page shows. */
export function excerptOf(folder: string, id: string): Excerpt {
  const first: LogEntry[] = [];
  let last: LogEntry[] = [];
  let omitted = 0;
  for (const entries of readLog(folder, id)) {
    const room = Math.max(0, mostFirst - first.length);
    first.push(...entries.slice(0, room));
    last.push(...entries.slice(room));
    if (last.length <= 2 * mostLast) continue;
    omitted += last.length - mostLast;
    last = last.slice(-mostLast);
  }
  omitted += Math.max(0, last.length - mostLast);
  return { first, last: last.slice(-mostLast), omitted };
}

/** Streams the whole log as text, in small parts. */
export function logStream(
  folder: string,
  id: string,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const parts = readLog(folder, id);
  return new ReadableStream({
    pull(controller) {
      const { done, value } = parts.next();
      if (done) return controller.close();
      const lines = value.flatMap(logLines).map(shown);
      controller.enqueue(encoder.encode(lines.join("\n") + "\n"));
    },
    cancel() {
      parts.return(undefined);
    },
  }, { highWaterMark: 0 });
}
