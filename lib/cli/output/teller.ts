/**
 * Tells events to whoever reads standard error.
 *
 * @module
 */
import { journalLines, plainLines } from "../../report/log.ts";
import { writeTo } from "./print.ts";
import { identityOf } from "../../process/kernel.ts";
import type { Event } from "../../base/effects.ts";

/** Tells events until it is closed. */
export interface Teller {
  tell(event: Event): void;
  /** Ends what is redrawn in place. */
  close(): void;
}

/** The teller for standard error: a terminal, the journal, or a file. */
export function makeTeller(verbose: boolean): Teller {
  const lines = isJournal() ? journalLines() : plainLines();
  return {
    tell(event) {
      if (isDebug(event) && !verbose) return;
      writeTo(Deno.stderr, lines(event));
    },
    close() {},
  };
}

export function isDebug(event: Event): boolean {
  return event.kind === "message" && event.level === "debug";
}

/** Whether standard error goes to the journal (systemd.exec(5), `$JOURNAL_STREAM`). */
export function isJournal(): boolean {
  const stream = Deno.env.get("JOURNAL_STREAM");
  return stream !== undefined &&
    stream === identityOf(`/proc/${Deno.pid}/fd/2`);
}
