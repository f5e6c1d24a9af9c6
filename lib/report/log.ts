/**
 * Events as plain lines, for the journal, a file or a pipe: no control
 * characters, nothing redrawn.
 *
 * @module
 */
import { formatDuration } from "../base/duration.ts";
import type { Event, Level, Progress } from "../base/effects.ts";

/** Returns an event as lines for a file or a pipe. */
export function plainLines(event: Event): string {
  return linesOf(event).map((line) => `${line}\n`).join("");
}

/** Returns lines with the journal's priorities (sd-daemon(3), `SD_NOTICE`). */
export function journalLines(event: Event): string {
  const prefix = `<${priorityOf(event)}>`;
  return linesOf(event).map((line) => `${prefix}${line}\n`).join("");
}

/** Returns the priority of an event in the journal (syslog(3)). */
export function priorityOf(event: Event): number {
  return priorities[event.kind === "message" ? event.level : "info"];
}

/** Those of syslog(3). */
const priorities: Readonly<Record<Level, number>> = {
  error: 3,
  warning: 4,
  notice: 5,
  info: 6,
  debug: 7,
};

/** Returns an event as lines without line ends; empty if it is not shown. */
export function linesOf(event: Event): string[] {
  switch (event.kind) {
    case "attempt":
    case "start":
    case "line":
      return [];
    case "progress": {
      const text = progressText(event.now());
      return text === "" ? [] : [`${event.stage}: ${text}`];
    }
    case "done":
      return [`${event.stage}: ${event.text} (${formatDuration(event.ms)})`];
    case "failed":
      return [`${event.stage}: failed (${formatDuration(event.ms)})`];
    case "message":
      return messageLines(event);
  }
}

const mostNamed = 3;

/** `3 of 12 built · linux-6.12.8 2m10s, gcc-13 40s and 2 more`. */
export function progressText({ text, tasks = [] }: Progress): string {
  if (tasks.length === 0) return text;
  const named = tasks.slice(0, mostNamed).map(({ name, ms }) =>
    `${name} ${formatDuration(ms)}`
  ).join(", ");
  const more = tasks.length > mostNamed
    ? ` and ${tasks.length - mostNamed} more`
    : "";
  return `${text.replace(/ · .*$/s, "")} · ${named}${more}`;
}

/** Returns a message with its details and hints, one per line. */
export function messageLines(event: Event & { kind: "message" }): string[] {
  const { level, text, details = [], hints = [] } = event;
  const word = level === "error" || level === "warning" ? `${level}: ` : "";
  return [
    ...`${word}${text}`.split("\n"),
    ...details.map((line) => `  ${line}`),
    ...hints.map((hint) => `hint: ${hint}`),
  ];
}
