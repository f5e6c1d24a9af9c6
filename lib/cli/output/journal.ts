/**
 * Writes events to the journal of systemd. Entries of an attempt have fields,
 * so that `journalctl GITOPS_SYNC_REVISION=…` finds them. logger(1) accepts an
 * entry with fields; standard error does not.
 *
 * @module
 */
import type { Event } from "../../base/effects.ts";
import type { Stage } from "../../base/errors.ts";
import { shown } from "../../base/redact.ts";
import { journalFields } from "../../host/journal_fields.ts";
import { run } from "../../process/run_command.ts";
import { journalLines, linesOf, priorityOf } from "../../report/log.ts";
import { writeTo } from "./print.ts";

/** Milliseconds for one entry: the journal must not delay a run for long. */
const logTimeout = 5000;

/** Writes to the journal, in the order of the events. */
export class Journal {
  #attempt: Event & { kind: "attempt" } | undefined;
  #stage: Stage | undefined;
  #isPlain = !hasJournal();
  #queue: Promise<void> = Promise.resolve();

  /** Adds an event. */
  take(event: Event): void {
    if (event.kind === "attempt") this.#attempt = event;
    else if ("stage" in event) this.#stage = event.stage;
    const lines = linesOf(event);
    if (lines.length === 0) return;
    const plainly = () => void writeTo(Deno.stderr, journalLines(event));
    if (!this.#attempt) return plainly();
    const { id, revision } = this.#attempt;
    const entry = entryOf(
      lines,
      priorityOf(event),
      journalFields(id, revision, this.#stage),
    );
    this.#queue = this.#queue.then(async () => {
      if (!await this.#log(entry)) plainly();
    });
  }

  /** Waits until everything is written. */
  async written(): Promise<void> {
    await this.#queue;
  }

  /** @returns whether the entry was written. */
  async #log(entry: string): Promise<boolean> {
    if (this.#isPlain) return false;
    try {
      const { code, timedOut } = await run({
        program: "logger",
        args: ["--journald"],
        input: new TextEncoder().encode(entry),
        timeout: logTimeout,
        capture: false,
      });
      if (code === 0 && !timedOut) return true;
    } catch {
      // logger is missing, or we may not run it.
    }
    // Do not try again for every line.
    this.#isPlain = true;
    return false;
  }
}

/**
 * Returns whether logger(1) reaches the journal. Without the socket, logger
 * still exits with 0, and the entry is lost (sd_journal_send(3)).
 */
function hasJournal(): boolean {
  try {
    return Deno.statSync("/run/systemd/journal/socket").isSocket === true;
  } catch {
    return false;
  }
}

/**
 * Returns an entry in the format of logger(1): one field on a line, and a
 * `MESSAGE` for each line of the message.
 */
function entryOf(
  lines: readonly string[],
  priority: number,
  about: Readonly<Record<string, string>>,
): string {
  const fields = Object.entries({
    ...about,
    PRIORITY: String(priority),
    SYSLOG_IDENTIFIER: "gitops-sync",
    // logger exits at once, perhaps before the journal has found its unit.
    // With this field, the entry belongs to our unit.
    OBJECT_PID: String(Deno.pid),
  });
  return [
    ...lines.map((line) => `MESSAGE=${shown(line).replaceAll("\n", " ")}`),
    ...fields.map(([name, value]) => `${name}=${value}`),
  ].map((line) => `${line}\n`).join("");
}
