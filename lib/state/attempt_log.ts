/**
 * Writes the log of an attempt: its stages with their times, its messages, and
 * every output line of its build and switches.
 *
 * A long log keeps its beginning and its end. Nothing here throws: a failure of
 * the log does not affect the host.
 *
 * @module
 */
import type { Event, Progress } from "../base/effects.ts";
import type { Stage } from "../base/errors.ts";
import { cleanProgress, linesOf } from "./log_cleaning.ts";
import { show } from "./shown.ts";
import {
  liveFile,
  type LogEntry,
  logFolder,
  loggedAttempts,
  type LogPart,
  logsIn,
  parseLogEntry,
  type Untimed,
} from "./log_entries.ts";

/** How many attempts keep a log. */
const mostLogs = 32;
/** Bytes of the beginning, and of each of the two parts of the end. */
const mostHead = 1024 * 1024;
const mostTail = 512 * 1024;
/** Buffered bytes before a write. */
const mostWaiting = 64 * 1024;
/** The longest line, in characters. */
const longestLine = 4000;
/** Milliseconds after which the buffer is written. */
const pause = 200;

/** The file that is being written. */
interface Part {
  name: LogPart;
  file: Deno.FsFile;
  size: number;
}

/** Writes the log of one attempt. */
export class AttemptLog {
  readonly #folder: string;
  #part: Part | undefined;
  /** Bytes that are missing between the head and the end. */
  #omitted = 0;
  #waiting: LogEntry[] = [];
  #size = 0;
  #live: { stage: Stage; now: () => Progress } | undefined;
  #shown = "";
  readonly #timer: ReturnType<typeof setInterval>;
  /** Bytes that could not be written. */
  #lost = 0;
  #isFaulty = false;
  #isOver = false;

  /**
   * @param state The state folder.
   * @param id The attempt's.
   * @param onFault Called once if the log can't be written.
   * @param isShown Whether `serve` shows it.
   */
  constructor(
    private readonly state: string,
    id: string,
    private readonly now: () => Date,
    private readonly onFault: (why: string) => void,
    private readonly isShown = false,
  ) {
    this.#folder = logFolder(state, id);
    this.#trying(() => {
      Deno.mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      this.#show(logsIn(state));
      this.#show(this.#folder);
      this.#forgetOld();
      this.#part = this.#reopened();
      // An interrupted run has left its progress.
      this.#removeLive();
    });
    this.#timer = setInterval(() => this.#tick(), pause);
    // It must not keep a finished program alive.
    Deno.unrefTimer(this.#timer);
  }

  /** Logs an event of a run. */
  tell(event: Event): void {
    switch (event.kind) {
      case "progress":
        this.#live = event;
        return;
      case "line": {
        const text = event.text.slice(0, longestLine);
        return this.#write({ kind: "line", stage: event.stage, text });
      }
      case "message":
        if (event.level === "debug") return;
        break;
      case "done":
      case "failed":
        this.#endLive();
    }
    this.#write(event);
    // A person waits for it, and it must survive a crash.
    this.#flush();
  }

  /** Logs the end of the attempt. */
  end(result: string, exit: number, text: string): void {
    this.#write({ kind: "end", result, exit, text });
    this.close();
  }

  /** Writes the buffer and closes the files. */
  close(): void {
    this.#isOver = true;
    clearInterval(this.#timer);
    this.#endLive();
    this.#flush();
    this.#part?.file.close();
    this.#part = undefined;
  }

  #write(entry: Untimed): void {
    // Later messages do not belong to the attempt.
    if (this.#isOver) return;
    this.#waiting.push({ at: this.now().getTime(), ...entry });
    this.#size += "text" in entry ? entry.text.length + 60 : 100;
    if (this.#size >= mostWaiting) this.#flush();
  }

  /** Writes the buffer and the progress of the stage. */
  #tick(): void {
    this.#flush();
    if (!this.#live) return;
    const { stage, now } = this.#live;
    const text = JSON.stringify({ stage, ...cleanProgress(now()) });
    if (text === this.#shown) return;
    this.#shown = text;
    this.#trying(() => {
      const path = `${this.#folder}/${liveFile}`;
      Deno.writeTextFileSync(`${path}.new`, text, { mode: 0o600 });
      this.#show(`${path}.new`);
      Deno.renameSync(`${path}.new`, path);
    });
  }

  #endLive(): void {
    if (!this.#live) return;
    this.#live = undefined;
    this.#shown = "";
    this.#removeLive();
  }

  #removeLive(): void {
    try {
      Deno.removeSync(`${this.#folder}/${liveFile}`);
    } catch {
      // It was never written.
    }
  }

  #flush(): void {
    if (this.#waiting.length === 0) return;
    const bytes = new TextEncoder().encode(linesOf(this.#waiting));
    this.#waiting = [];
    this.#size = 0;
    if (!this.#trying(() => this.#append(bytes))) this.#lost += bytes.length;
  }

  #append(bytes: Uint8Array): void {
    let part = this.#part ??= this.#reopened();
    const most = part.name === "head" ? mostHead : mostTail;
    if (part.size >= most) part = this.#next(part);
    if (this.#lost > 0) {
      // Half a line may be there.
      part.size += writeAll(part.file, "\n");
      part.size += writeAll(part.file, gapLine(this.#lost));
      this.#lost = 0;
    }
    part.size += writeAll(part.file, bytes);
  }

  /** Opens the part after a full one. */
  #next({ name, file }: Part): Part {
    file.close();
    this.#part = undefined;
    if (name === "tail") {
      this.#omitted += sizeOf(this.#path("middle"));
      Deno.renameSync(this.#path("tail"), this.#path("middle"));
      writeGap(this.#path("middle"), this.#omitted);
    }
    const next = this.#part = this.#open("tail");
    next.size += writeAll(next.file, gapLine(0));
    return next;
  }

  #path(name: LogPart): string {
    return `${this.#folder}/${name}.jsonl`;
  }

  /** Opens the last part: a later run may continue the same attempt. */
  #reopened(): Part {
    const isLong = sizeOf(this.#path("tail")) > 0;
    if (isLong) this.#omitted = gapOf(this.#path("middle"));
    const part = this.#open(isLong ? "tail" : "head");
    if (part.size > 0) part.size += writeAll(part.file, "\n");
    return part;
  }

  #open(name: LogPart): Part {
    const file = Deno.openSync(this.#path(name), {
      append: true,
      create: true,
      mode: 0o600,
    });
    this.#show(this.#path(name));
    return { name, file, size: file.statSync().size };
  }

  #show(path: string): void {
    if (this.isShown) show(this.state, path);
  }

  #forgetOld(): void {
    for (const id of loggedAttempts(this.state).slice(0, -mostLogs)) {
      Deno.removeSync(logFolder(this.state, id), { recursive: true });
    }
  }

  /** @returns whether it worked; a fault is reported once. */
  #trying(work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      const isFirst = !this.#isFaulty;
      this.#isFaulty = true;
      if (isFirst) this.onFault((error as Error).message);
      return false;
    }
  }
}

/** Returns the size of a file; 0 if it is missing. */
function sizeOf(path: string): number {
  try {
    return Deno.lstatSync(path).size;
  } catch {
    return 0;
  }
}

/** Bytes of a line about a gap: fixed, so that it can be overwritten. */
const gapLength = 80;

function gapLine(bytes: number): string {
  const entry: LogEntry = { at: Date.now(), kind: "omitted", bytes };
  return `${JSON.stringify(entry).padEnd(gapLength - 1)}\n`;
}

/** Writes at the beginning of a part how much is missing before it. */
function writeGap(path: string, bytes: number): void {
  using file = Deno.openSync(path, { write: true });
  writeAll(file, gapLine(bytes));
}

function gapOf(path: string): number {
  if (sizeOf(path) === 0) return 0;
  using file = Deno.openSync(path, { read: true });
  const start = new Uint8Array(gapLength);
  file.readSync(start);
  const entry = parseLogEntry(new TextDecoder().decode(start).trim());
  return entry?.kind === "omitted" ? entry.bytes : 0;
}

function writeAll(file: Deno.FsFile, content: string | Uint8Array): number {
  const all = typeof content === "string"
    ? new TextEncoder().encode(content)
    : content;
  for (let rest = all; rest.length > 0;) {
    rest = rest.subarray(file.writeSync(rest));
  }
  return all.length;
}
