/**
 * Events on a terminal: a line for each stage, the current one redrawn in
 * place with its progress and time.
 *
 * @module
 */
import { formatDuration } from "../../base/duration.ts";
import type { Event, Level } from "../../base/effects.ts";
import { redact, shown } from "../../base/redact.ts";
import { messageLines } from "../../report/log.ts";
import { type Ink, inkFor } from "./ink.ts";
import { writeTo } from "./print.ts";
import type { Teller } from "./teller.ts";

const redrawPause = 100;
const frames = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";

/** A stage under way. */
interface Live {
  stage: string;
  text: string;
  start: number;
}

/** The teller for a person at a terminal. `NO_COLOR` is obeyed. */
export function terminalTeller(verbose: boolean): Teller {
  const { ink, columns } = paper();
  let live: Live | undefined;
  let drawn = false;
  let frame = 0;
  const erase = () => drawn ? "\r\x1b[K" : "";
  // With escapes of our own; what comes from elsewhere is clean before.
  const write = (text: string) => writeTo(Deno.stderr, text, redact);
  const draw = () => {
    if (!live) return;
    const mark = frames[frame = (frame + 1) % frames.length]!;
    const took = formatDuration(performance.now() - live.start);
    const line = row(mark, live.stage, live.text, took, columns());
    write(`${erase()}${line}`);
    drawn = true;
  };
  const put = (lines: string) => {
    write(`${erase()}${lines}`);
    drawn = false;
  };
  const timer = setInterval(draw, redrawPause);
  // It must not keep a finished program alive.
  Deno.unrefTimer(timer);
  return {
    tell(event) {
      switch (event.kind) {
        case "start":
          live = { stage: event.stage, text: "", start: performance.now() };
          return draw();
        case "progress":
          if (live) live.text = event.text;
          return;
        case "done":
        case "failed": {
          live = undefined;
          const isDone = event.kind === "done";
          const mark = isDone ? ink("32", "✓") : ink("31", "✗");
          const text = isDone ? event.text : "failed";
          const took = formatDuration(event.ms);
          return put(`${row(mark, event.stage, text, took, columns())}\n`);
        }
        case "message":
          if (event.level === "debug" && !verbose) return;
          put(`${coloured(event, ink)}\n`);
          return draw();
      }
    },
    close() {
      clearInterval(timer);
      put("");
    },
  };
}

const nameWidth = 10;

/** One line that fits: mark, stage, text and, at its end, the time. */
function row(
  mark: string,
  stage: string,
  text: string,
  took: string,
  columns: number,
): string {
  const room = Math.max(0, columns - nameWidth - took.length - 5);
  const safe = shown(text);
  const fitted = safe.length > room
    ? `${safe.slice(0, Math.max(0, room - 1))}…`
    : safe;
  const rest = `${stage.padEnd(nameWidth)}${fitted.padEnd(room)}  ${took}`;
  // A line that does not fit could not be redrawn in place.
  return `${mark} ${rest.slice(0, Math.max(0, columns - 2))}`;
}

const levelInk: Readonly<Partial<Record<Level, string>>> = {
  error: "31",
  warning: "33",
  debug: "2",
};

function coloured(event: Event & { kind: "message" }, ink: Ink): string {
  const code = levelInk[event.level];
  const [first, ...rest] = messageLines(event).map(shown);
  const head = code === undefined ? first! : ink(code, first!);
  const more = rest.map((line) =>
    line.startsWith("hint: ") ? `${ink("36", "hint:")} ${line.slice(6)}` : line
  );
  return [head, ...more].join("\n");
}

function paper(): { ink: Ink; columns: () => number } {
  return {
    ink: inkFor(Deno.stderr),
    columns: () => {
      try {
        // A serial console says 0: it does not know.
        return Math.min(Deno.consoleSize().columns || 80, 120);
      } catch {
        return 80;
      }
    },
  };
}
