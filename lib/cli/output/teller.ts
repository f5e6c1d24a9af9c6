/**
 * Prints events on standard error.
 *
 * @module
 */
import { plainLines } from "../../report/log.ts";
import { columnsOf, fitted } from "./ink.ts";
import { writeTo } from "./print.ts";
import { identityOf } from "../../process/kernel.ts";
import { Journal } from "./journal.ts";
import type { Event } from "../../base/effects.ts";

/** Prints events until it is closed. */
export interface Teller {
  tell(event: Event): void;
  /** Ends what is redrawn in place. */
  close(): void;
  /** Waits until everything is written, if that takes time. */
  told?(): Promise<void>;
}

/** Milliseconds between two progress lines of a long stage. */
const progressPause = 30_000;

/**
 * Returns the teller for a standard error that is not a terminal: the journal
 * or a file.
 */
export function makeTeller(verbose: boolean): Teller {
  if (!isJournal()) {
    return steadyTeller(verbose, (event) => {
      writeTo(Deno.stderr, fitted(plainLines(event), columnsOf(Deno.stderr)));
    });
  }
  const journal = new Journal();
  return {
    ...steadyTeller(verbose, (event) => journal.take(event)),
    told: () => journal.written(),
  };
}

/**
 * Returns a teller that redraws nothing.
 *
 * @param show Prints an event; the progress of a stage is printed at intervals.
 * @param pause Milliseconds between two of those.
 */
export function steadyTeller(
  verbose: boolean,
  show: (event: Event) => void,
  pause = progressPause,
): Teller {
  let timer: ReturnType<typeof setInterval> | undefined;
  const quiet = () => {
    clearInterval(timer);
    timer = undefined;
  };
  return {
    tell(event) {
      if (isDebug(event) && !verbose) return;
      if (event.kind === "progress") {
        quiet();
        timer = setInterval(() => show(event), pause);
        // The timer must not keep a finished program alive.
        return Deno.unrefTimer(timer);
      }
      if (["start", "done", "failed"].includes(event.kind)) quiet();
      show(event);
    },
    close: quiet,
  };
}

/** Returns whether an event is a debug message. */
export function isDebug(event: Event): boolean {
  return event.kind === "message" && event.level === "debug";
}

/**
 * Returns whether standard error goes to the journal (systemd.exec(5),
 * `$JOURNAL_STREAM`).
 */
export function isJournal(): boolean {
  const stream = Deno.env.get("JOURNAL_STREAM");
  return stream !== undefined &&
    stream === identityOf(`/proc/${Deno.pid}/fd/2`);
}
