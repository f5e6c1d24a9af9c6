/**
 * Prints events on a terminal: a line for each stage. The current stage is
 * redrawn in place with its time and its tasks.
 *
 * @module
 */
import { formatDuration } from "../../base/duration.ts";
import type { Event, Level, Progress } from "../../base/effects.ts";
import { redact, shown } from "../../base/redact.ts";
import { withoutColour } from "../../base/text.ts";
import { messageLines } from "../../report/log.ts";
import { fitted, inkFor } from "./ink.ts";
import { inks } from "../../report/row.ts";
import { headOf, type Ink, stageLine, taskLines } from "./live_lines.ts";
import { writeTo } from "./print.ts";
import type { Teller } from "./teller.ts";
import { widthOf } from "./width.ts";

const redrawPause = 100;
const frames = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";

/** The current stage. */
interface Live {
  stage: string;
  now: () => Progress;
  start: number;
}

/** What is drawn, and is overwritten later: the width of each line. */
type Drawn = readonly number[];

/** Returns the teller for a person at a terminal. It respects `NO_COLOR`. */
export function terminalTeller(verbose: boolean): Teller {
  const { ink, size } = paper();
  let live: Live | undefined;
  let drawn: Drawn = [];
  let frame = 0;
  // The text has our own escapes; text from outside is made safe before.
  const write = (text: string) => writeTo(Deno.stderr, text, redact);
  const draw = () => {
    if (!live) return;
    const { columns, rows } = size();
    const mark = frames[frame = (frame + 1) % frames.length]!;
    const took = formatDuration(performance.now() - live.start);
    const now = live.now();
    const lines = [
      stageLine(mark, live.stage, headOf(now), took, columns),
      ...taskLines(now, columns, rows - 2, ink),
    ];
    write(`${erase(drawn, columns)}${lines.join("\n")}`);
    drawn = lines.map((line) => widthOf(withoutColour(line)));
  };
  const put = (lines: string) => {
    write(`${erase(drawn, size().columns)}${lines}`);
    drawn = [];
  };
  const timer = setInterval(draw, redrawPause);
  // The timer must not keep a finished program alive.
  Deno.unrefTimer(timer);
  return {
    tell(event) {
      switch (event.kind) {
        case "start": {
          const start = performance.now() - (event.ago ?? 0);
          live = { stage: event.stage, now: () => ({ text: "" }), start };
          return draw();
        }
        case "progress":
          live ??= { ...event, start: performance.now() };
          live.now = event.now;
          return;
        case "done":
        case "failed": {
          live = undefined;
          const isDone = event.kind === "done";
          const mark = isDone ? ink(inks.good, "✓") : ink(inks.bad, "✗");
          const text = isDone ? event.text : "failed";
          const took = formatDuration(event.ms);
          const { columns } = size();
          return put(`${stageLine(mark, event.stage, text, took, columns)}\n`);
        }
        case "message":
          if (event.level === "debug" && !verbose) return;
          put(`${coloured(event, ink, size().columns)}\n`);
          return draw();
      }
    },
    close() {
      clearInterval(timer);
      put("");
    },
  };
}

/**
 * Returns what erases the drawn lines. If the terminal is narrower now, it has
 * wrapped them, and more lines must be erased.
 */
function erase(drawn: Drawn, columns: number): string {
  if (drawn.length === 0) return "";
  const rows = drawn.reduce(
    (sum, width) => sum + Math.max(1, Math.ceil(width / columns)),
    0,
  );
  return rows === 1 ? "\r\x1b[K" : `\r\x1b[${rows - 1}A\x1b[J`;
}

/** The colours of the first words of messages. */
const wordInk: Readonly<Partial<Record<Level, string>>> = {
  error: inks.bad,
  warning: inks.warning,
};

function coloured(
  event: Event & { kind: "message" },
  ink: Ink,
  columns: number,
): string {
  const { level } = event;
  const code = wordInk[level];
  const [first, ...rest] = messageLines(event).map(shown)
    .flatMap((line) => fitted(line, columns).split("\n"));
  const head = level === "debug"
    ? ink(inks.dim, first!)
    : code === undefined
    ? first!
    : `${ink(`${inks.bold};${code}`, `${level}:`)}${
      first!.slice(level.length + 1)
    }`;
  const more = rest.map((line) =>
    line.startsWith("hint: ")
      ? `${ink(inks.bold, "hint:")} ${line.slice(6)}`
      : line
  );
  return [head, ...more].join("\n");
}

function paper(): {
  ink: Ink;
  size: () => { columns: number; rows: number };
} {
  return {
    ink: inkFor(Deno.stderr),
    size: () => {
      try {
        // A serial console reports 0 if the size is unknown.
        const { columns, rows } = Deno.consoleSize();
        return { columns: Math.min(columns || 80, 120), rows: rows || 24 };
      } catch {
        return { columns: 80, rows: 24 };
      }
    },
  };
}

/**
 * Returns whether a terminal cannot move the cursor (Git and others use the
 * same check).
 */
export function isDumb(): boolean {
  return ["", "dumb"].includes(Deno.env.get("TERM") ?? "");
}
