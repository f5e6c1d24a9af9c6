/**
 * Events as plain lines, for the journal, a file or a pipe: no control
 * characters, nothing redrawn.
 *
 * @module
 */
import { formatDuration } from "../base/duration.ts";
import type { Event, Level } from "../base/effects.ts";

/** Turns an event into text, each line ended; empty for what is not shown. */
export type Lines = (event: Event) => string;

/** A long build says this often that it goes on, in milliseconds. */
const progressPause = 60_000;

/** Lines for a file or a pipe. */
export function plainLines(now: () => number = Date.now): Lines {
  const lines = linesOf(now);
  return (event) => lines(event).map((line) => `${line}\n`).join("");
}

/** Lines with the journal's priorities (sd-daemon(3), `SD_NOTICE`). */
export function journalLines(now: () => number = Date.now): Lines {
  const lines = linesOf(now);
  return (event) => {
    const level = event.kind === "message" ? event.level : "info";
    const prefix = `<${priorities[level]}>`;
    return lines(event).map((line) => `${prefix}${line}\n`).join("");
  };
}

/** Those of syslog(3). */
const priorities: Readonly<Record<Level, number>> = {
  error: 3,
  warning: 4,
  notice: 5,
  info: 6,
  debug: 7,
};

function linesOf(now: () => number): (event: Event) => string[] {
  let told = now();
  return (event) => {
    switch (event.kind) {
      case "start":
        told = now();
        return [];
      case "progress":
        if (now() - told < progressPause) return [];
        told = now();
        return [`${event.stage}: ${event.text}`];
      case "done":
        return [`${event.stage}: ${event.text} (${formatDuration(event.ms)})`];
      case "failed":
        return [`${event.stage}: failed (${formatDuration(event.ms)})`];
      case "message":
        return messageLines(event);
    }
  };
}

/** A message with its evidence and what to do, a line each. */
export function messageLines(event: Event & { kind: "message" }): string[] {
  const { level, text, details = [], hints = [] } = event;
  const word = level === "error" || level === "warning" ? `${level}: ` : "";
  return [
    ...`${word}${text}`.split("\n"),
    ...details.map((line) => `  ${line}`),
    ...hints.map((hint) => `hint: ${hint}`),
  ];
}
