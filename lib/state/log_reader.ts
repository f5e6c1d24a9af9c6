/**
 * Reads the log of an attempt, completely or as it grows. Skips incomplete and
 * damaged lines.
 *
 * @module
 */
import {
  type Live,
  liveFile,
  type LogEntry,
  logFolder,
  type LogPart,
  logParts,
  parseLogEntry,
} from "./log_entries.ts";

/** How many bytes are read at once. */
const chunk = 256 * 1024;

/** Reads a log from its beginning, and continues as it grows. */
export class LogReader implements Disposable {
  readonly #folder: string;
  #file: Deno.FsFile | undefined;
  #inode: number | null = null;
  #half = "";
  #decoder = new TextDecoder();

  /**
   * @param state The state folder.
   * @param id The attempt's.
   */
  constructor(state: string, id: string) {
    this.#folder = logFolder(state, id);
  }

  /**
   * Yields the new entries since the last call, in parts that fit into memory.
   */
  *read(): Generator<LogEntry[]> {
    for (;;) {
      if (this.#file) yield* this.#rest(this.#file);
      const next = this.#next();
      if (!next) return;
      // A file no longer grows once there is another one.
      if (this.#file) yield* this.#rest(this.#file);
      this.#file?.close();
      this.#half = "";
      this.#decoder = new TextDecoder();
      this.#file = next;
      this.#inode = next.statSync().ino;
    }
  }

  /** Returns the progress of the current stage. */
  live(): Live | undefined {
    try {
      const live = JSON.parse(
        Deno.readTextFileSync(`${this.#folder}/${liveFile}`),
      );
      const isWhole = typeof live?.stage === "string" &&
        typeof live.text === "string";
      return isWhole ? live : undefined;
    } catch {
      return undefined;
    }
  }

  [Symbol.dispose](): void {
    this.#file?.close();
    this.#file = undefined;
  }

  *#rest(file: Deno.FsFile): Generator<LogEntry[]> {
    const bytes = new Uint8Array(chunk);
    for (;;) {
      const length = file.readSync(bytes);
      if (!length) return;
      const text = this.#half +
        this.#decoder.decode(bytes.subarray(0, length), { stream: true });
      const lines = text.split("\n");
      this.#half = lines.pop()!.slice(-chunk);
      const entries = lines.map(parseLogEntry)
        .filter((entry) => entry !== undefined)
        .filter((entry) => entry.kind !== "omitted" || entry.bytes > 0);
      if (entries.length > 0) yield entries;
    }
  }

  /** Opens the part after the current one, if it exists already. */
  #next(): Deno.FsFile | undefined {
    const parts = logParts.map((part) => this.#inodeOf(part));
    const at = this.#inode === null ? -1 : parts.indexOf(this.#inode);
    // The current part may have been removed; the rest comes after it.
    const from = at === -1 && this.#inode !== null ? 1 : at + 1;
    for (const part of logParts.slice(from)) {
      const file = this.#open(part);
      if (file) return file;
    }
    return undefined;
  }

  #inodeOf(part: LogPart): number | null {
    try {
      return Deno.lstatSync(this.#path(part)).ino;
    } catch {
      return null;
    }
  }

  #open(part: LogPart): Deno.FsFile | undefined {
    try {
      return Deno.openSync(this.#path(part), { read: true });
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  #path(part: LogPart): string {
    return `${this.#folder}/${part}.jsonl`;
  }
}

/** Whether an attempt has a log. */
export function hasLog(state: string, id: string): boolean {
  try {
    return Deno.lstatSync(logFolder(state, id)).isDirectory;
  } catch {
    return false;
  }
}

/** Yields a complete log, in parts that fit into memory. */
export function* readLog(state: string, id: string): Generator<LogEntry[]> {
  using reader = new LogReader(state, id);
  yield* reader.read();
}
