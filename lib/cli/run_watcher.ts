/**
 * Follows the run that holds the lock by reading the state folder. It takes no
 * lock and does not affect the run.
 *
 * @module
 */
import type { Event, Progress } from "../base/effects.ts";
import { short } from "../base/text.ts";
import { isLocked, lastHolder } from "../host/lock.ts";
import { isAttempt, readHistory } from "../state/history.ts";
import type { LogEntry } from "../state/log_entries.ts";
import { LogReader } from "../state/log_reader.ts";
import type { HistoryEntry } from "../state/state.ts";
import { readState } from "../state/state_file.ts";
import type { Teller } from "./output/teller.ts";

/** What is known of a run. */
export interface Seen {
  /** When it took the lock, in milliseconds since 1970. */
  since: number;
  /** The ID of its last attempt. */
  attempt?: string;
  /** How that attempt ended. */
  end?: LogEntry & { kind: "end" };
}

/** Follows one run to its end. */
export class RunWatcher implements Disposable {
  readonly seen: Seen;
  #reader: LogReader | undefined;
  #progress: Progress = { text: "" };
  /** Whether the teller already has a way to read the progress. */
  #isLive = false;

  /** @param folder The state folder. */
  constructor(
    private readonly folder: string,
    private readonly teller: Teller,
  ) {
    const holder = lastHolder(folder);
    this.seen = { since: holder?.since ?? 0 };
    if (!holder) return;
    const { command, pid, since } = holder;
    const ago = Math.max(0, Date.now() - since);
    teller.tell({
      kind: "message",
      level: "info",
      text: `Watching gitops-sync ${command} (process ${pid})`,
    });
    teller.tell({ kind: "start", stage: "decide", ago });
  }

  /**
   * Reports what is new.
   *
   * @returns whether the run has ended.
   */
  async look(): Promise<boolean> {
    // Check this first: what the run writes before it releases the lock is then
    // read below.
    const isOver = lastHolder(this.folder)?.since !== this.seen.since ||
      !await isLocked(this.folder);
    const { attempt } = await readState(this.folder);
    if (attempt) {
      const { revision, subject } = attempt.commit;
      this.#follow({ id: attempt.id, revision, subject });
    }
    if (isOver && this.seen.attempt === undefined) this.#followLast();
    for (const entries of this.#reader?.read() ?? []) this.#tellAll(entries);
    this.#tellLive();
    return isOver;
  }

  [Symbol.dispose](): void {
    this.#reader?.[Symbol.dispose]();
  }

  /** Finds an attempt in the history that ended before it was seen. */
  #followLast(): void {
    const last = readHistory(this.folder).findLast(isAttempt);
    const ended = last ? Date.parse(last.at) + last.ms : NaN;
    if (last && ended >= this.seen.since) this.#follow(last);
  }

  /** Follows another attempt: a run first ends one that was interrupted. */
  #follow(attempt: Pick<HistoryEntry, "id" | "revision" | "subject">): void {
    const { id, revision, subject } = attempt;
    if (id === this.seen.attempt) return;
    // First print the rest of the previous log.
    for (const entries of this.#reader?.read() ?? []) this.#tellAll(entries);
    this.#reader?.[Symbol.dispose]();
    this.seen.attempt = id;
    delete this.seen.end;
    this.#reader = new LogReader(this.folder, id);
    const what = revision === undefined ? "" : ` of ${short(revision)}`;
    this.teller.tell({
      kind: "message",
      level: "info",
      text: `Attempt ${id}${what}${subject ? ` "${subject}"` : ""}`,
    });
  }

  #tellAll(entries: readonly LogEntry[]): void {
    // Skip entries that an earlier run wrote for the same attempt.
    for (const entry of entries) {
      if (entry.at < this.seen.since) continue;
      if (entry.kind === "end") this.seen.end = entry;
      const event = eventOf(entry);
      if (!event) continue;
      if (["start", "done", "failed"].includes(event.kind)) {
        this.#isLive = false;
        this.#progress = { text: "" };
      }
      this.teller.tell(event);
    }
  }

  #tellLive(): void {
    const live = this.#reader?.live();
    if (!live) return;
    this.#progress = live;
    if (this.#isLive) return;
    this.#isLive = true;
    const { stage } = live;
    this.teller.tell({ kind: "progress", stage, now: () => this.#progress });
  }
}

/** Returns the event of a log entry; `undefined` if only the log has it. */
function eventOf({ at, ...entry }: LogEntry): Event | undefined {
  switch (entry.kind) {
    case "start":
      return { ...entry, ago: Math.max(0, Date.now() - at) };
    case "omitted":
    case "end":
      return undefined;
    default:
      return entry;
  }
}
