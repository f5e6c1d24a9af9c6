/**
 * Reads what `nixos-rebuild build --log-format internal-json` writes to
 * standard error: the progress of a build, and why it failed.
 *
 * Pure: no process, no file, no clock. Memory is bounded for any input.
 *
 * ## The format
 * Lines `@nix {json}` among plain lines of nixos-rebuild, git and ssh. Nix does
 * not document it; it is `JSONLogger` in `src/libutil/logging.cc` with the
 * numbers of `logging.hh`, the same from Nix 2.8 to 2.34 and in Lix:
 * - `start`: an activity `id` of a `type` with `fields`,
 * - `stop`: its end,
 * - `result`: something about activity `id`, of another `type` with `fields`,
 * - `msg`: a message with a `level` (0 is an error, 1 a warning); errors have
 *   `raw_msg`, the text without traces, and `file`, `line`, `column`.
 *
 * @module
 */
import type { Progress } from "../base/effects.ts";
import { parseSize, partText, sizeText } from "../base/size.ts";
import { safeLines } from "../base/text.ts";
import { Activities } from "./activities.ts";
import {
  bounded,
  type Entry,
  idOf,
  messageLength,
  type NixError,
  parse,
  readError,
  readWarning,
} from "./log_entry.ts";
import { type BuildFailure, explain } from "./failure.ts";
import { Rate } from "./rate.ts";

// The level of the messages about what will be built and fetched.
const toldLevel = 3;

// What is kept, at most.
const keptErrors = 40;
const keptWarnings = 20;
const plainLines = 20;
// Longer lines are not parsed; errors with --show-trace have some 100 KiB.
const jsonLength = 4 * 1024 * 1024;

/** Reads the log of one build, line by line. */
export class NixLog {
  readonly #activities: Activities;
  readonly #rate: Rate;
  readonly #errors: NixError[] = [];
  readonly #plain: string[] = [];
  readonly #warnings = new Set<string>();
  #unpacked = 0;

  /**
   * @param isOffline See `Evidence`.
   * @param onText Called with each line for people, not yet sanitized: the
   * output of builders, and what Nix reports.
   * @param now Milliseconds of a monotonic clock.
   */
  constructor(
    readonly isOffline: (drv: string) => boolean = () => false,
    private readonly onText: (text: string) => void = () => {},
    now: () => number = () => performance.now(),
  ) {
    this.#activities = new Activities(now);
    this.#rate = new Rate(now);
  }

  /** The bytes that all downloads will take in the store; 0 while unknown. */
  get unpacked(): number {
    return this.#unpacked;
  }

  /** The warnings of the flake's own code, each in one line. */
  get warnings(): readonly string[] {
    return [...this.#warnings];
  }

  /** Reads a line without its line break. Never throws. */
  line(text: string): void {
    if (!text.startsWith("@nix ")) return this.#readPlain(text);
    if (text.length > jsonLength) return;
    const entry = parse(text.slice(5));
    switch (entry?.["action"]) {
      case "start":
        this.#tell(entry, "text");
        return this.#activities.start(idOf(text, entry), entry);
      case "stop":
        return this.#activities.stop(idOf(text, entry));
      case "result": {
        const line = this.#activities.result(idOf(text, entry), entry);
        return line === undefined ? undefined : this.onText(line);
      }
      case "msg":
        this.#tell(entry, "msg");
        return this.#message(entry);
    }
  }

  /**
   * Returns the progress, e.g. `3 of 12 built, 41 MiB fetched · linux-6.12.8`.
   * Bytes are those of downloads, as transferred. This is cheap to call.
   */
  progress(): string {
    const { built, copied, bytes, promised, current } = this.#activities;
    const parts = [
      built.expected > 0 ? `${built.done} of ${built.expected} built` : "",
      copied.expected > 0 ? `${copied.done} of ${copied.expected} copied` : "",
    ].filter((part) => part !== "");
    if (parts.length === 0) parts.push("evaluating");
    if (bytes >= worthTelling) {
      const size = promised - bytes > worthTelling
        ? partText(bytes, promised)
        : sizeText(bytes);
      parts.push(`${size} fetched`);
    }
    return parts.join(", ") + (current ? ` · ${current}` : "");
  }

  /** Returns the progress with all tasks. */
  now(): Progress {
    const { bytes, last } = this.#activities;
    const rate = this.#rate.at(bytes);
    const text = this.progress().replace(
      " fetched",
      rate >= worthTelling ? ` at ${sizeText(rate)}/s` : " fetched",
    );
    return { text, tasks: this.#activities.tasks(), last };
  }

  /** Returns why the build failed. Call it only if it did. */
  failure(): BuildFailure {
    return explain({
      errors: this.#errors.length > 0 ? this.#errors : this.#plainErrors(),
      plain: this.#plain,
      logOf: (drv) => this.#activities.logOf(drv),
      isOffline: this.isOffline,
    });
  }

  /**
   * Reports what Nix prints for people, but not what it prints for debugging.
   */
  #tell(entry: Entry, key: "text" | "msg"): void {
    const { level, [key]: text } = entry as Record<string, unknown>;
    if (typeof level !== "number" || level > toldLevel) return;
    if (typeof text !== "string" || text === "") return;
    for (const line of safeLines(text.slice(0, messageLength))) {
      this.onText(line);
    }
  }

  #message(entry: Entry): void {
    if (entry["level"] === toldLevel) {
      this.#unpacked = Math.max(this.#unpacked, unpackedIn(entry));
    }
    const warning = readWarning(entry);
    if (warning !== undefined && this.#warnings.size < keptWarnings) {
      this.#warnings.add(warning);
    }
    if (entry["level"] !== 0) return;
    const error = readError(entry);
    if (error) keepBoth(this.#errors, error, keptErrors);
  }

  #readPlain(text: string): void {
    for (const line of safeLines(text.slice(0, messageLength))) {
      this.onText(line);
      keep(this.#plain, bounded(line), plainLines);
    }
  }

  /**
   * Returns the last error that was not in JSON, for example of nixos-rebuild.
   */
  #plainErrors(): NixError[] {
    const at = this.#plain.findLastIndex((line) => /^\s*error: \S/.test(line));
    if (at < 0) return [];
    const error = readError({ msg: this.#plain.slice(at).join("\n") });
    return error ? [error] : [];
  }
}

/** Adds to a list that drops its oldest items. */
function keep<T>(list: T[], item: T, most: number): void {
  list.push(item);
  if (list.length > most) list.shift();
}

/** Adds to a list that keeps its first half and drops items of the second. */
function keepBoth<T>(list: T[], item: T, most: number): void {
  list.push(item);
  if (list.length > most) list.splice(most / 2, 1);
}

/**
 * `these 3 paths will be fetched (1.50 MiB download, 3.00 MiB unpacked):`, as
 * bytes; 0 for another message.
 */
function unpackedIn(entry: Entry): number {
  const found = / will be fetched \([^)]* ([\d.]{1,20}) ([KMGT])iB unpacked\)/
    .exec(
      String(entry["msg"]).slice(0, messageLength),
    );
  return found ? parseSize(`${found[1]}${found[2]}`) ?? 0 : 0;
}

/** The fewest bytes, and bytes a second, that are shown. */
const worthTelling = 0.05 * 2 ** 20;
