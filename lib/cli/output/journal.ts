/**
 * Events in the journal of systemd. Those of an attempt have fields of their
 * own, by which `journalctl GITOPS_SYNC_REVISION=…` finds them; logger(1) takes
 * an entry with fields, and standard error can't.
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

/** Milliseconds for one entry: the journal must not hold up a run for long. */
const patience = 5000;

/** Writes to the journal, in the order in which it is told. */
export class Journal {
  #attempt: Event & { kind: "attempt" } | undefined;
  #stage: Stage | undefined;
  #isPlain = !isThere();
  #queue: Promise<void> = Promise.resolve();

  /** Takes an event. */
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

  /** Waits until all of it is written. */
  async written(): Promise<void> {
    await this.#queue;
  }

  /** @returns whether the entry has been written. */
  async #log(entry: string): Promise<boolean> {
    if (this.#isPlain) return false;
    try {
      const { code, timedOut } = await run({
        program: "logger",
        args: ["--journald"],
        input: new TextEncoder().encode(entry),
        timeout: patience,
        capture: false,
      });
      if (code === 0 && !timedOut) return true;
    } catch {
      // There is none, or we may not run it.
    }
    // What can't be had once is not tried for every line.
    this.#isPlain = true;
    return false;
  }
}

/**
 * Whether logger(1) reaches the journal. Without its socket logger ends with 0
 * all the same, and the entry is lost (sd_journal_send(3)).
 */
function isThere(): boolean {
  try {
    return Deno.statSync("/run/systemd/journal/socket").isSocket === true;
  } catch {
    return false;
  }
}

/** An entry as logger(1) reads it: a field a line, `MESSAGE` for each of its. */
function entryOf(
  lines: readonly string[],
  priority: number,
  about: Readonly<Record<string, string>>,
): string {
  const fields = Object.entries({
    ...about,
    PRIORITY: String(priority),
    SYSLOG_IDENTIFIER: "gitops-sync",
    // logger ends at once, perhaps before the journal has looked whose it is:
    // by this the entry is found with the unit that we are in.
    OBJECT_PID: String(Deno.pid),
  });
  return [
    ...lines.map((line) => `MESSAGE=${shown(line).replaceAll("\n", " ")}`),
    ...fields.map(([name, value]) => `${name}=${value}`),
  ].map((line) => `${line}\n`).join("");
}
