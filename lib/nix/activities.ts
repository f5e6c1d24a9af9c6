/**
 * Tracks what Nix builds and fetches, from the activities of its log: for how
 * long, and how much of it is done. Pure; memory is bounded.
 *
 * @module
 */
import type { Task } from "../base/effects.ts";
import { partText, sizeText } from "../base/size.ts";
import {
  bounded,
  type Entry,
  fieldsOf,
  isCount,
  messageLength,
  storeName,
} from "./log_entry.ts";
import { type BuildLog, logLines } from "./reasons.ts";
import { safeLines } from "../base/text.ts";

// Activity types of `logging.hh` that matter here (the others: 102 realise,
// 106 optimiseStore, 107 verifyPaths, 109 queryPathInfo, 110 postBuildHook,
// 111 buildWaiting, 112 fetchTree).
const copyPath = 100, fileTransfer = 101, copyPaths = 103, builds = 104;
const oneBuild = 105, substitute = 108;
// Result types (the others: 100 fileLinked).
const buildLogLine = 101, setPhase = 104, progressed = 105;
const setExpected = 106, hookLogLine = 107;

// What is kept, at most.
const endedBuilds = 32;
const openActivities = 10_000;
/** Milliseconds after which a download without a store path is shown. */
const slow = 1000;

/** A running activity that is counted or has a log. */
interface Activity {
  type: number;
  /** The name of the derivation or store path, or empty. */
  name: string;
  /** When it began, in milliseconds. */
  start: number;
  done: number;
  expected: number;
  phase: string;
  /** The id of the parent activity. */
  parent: string;
  log?: BuildLog;
}

/** The activities of one build. */
export class Activities {
  /** Running activities by id. Ids are text: they have up to 54 bits. */
  readonly #open = new Map<string, Activity>();
  readonly #sums = new Map<number, { done: number; expected: number }>();
  readonly #ended: BuildLog[] = [];
  #current: Activity | undefined;
  #bytes = 0;
  /** The largest expected size of all downloads so far. */
  #promised = 0;
  readonly #promises = new Map<string, number>();
  #promisedNow = 0;
  #last = "";

  /** @param now Milliseconds of a monotonic clock. */
  constructor(private readonly now: () => number) {}

  /** The downloaded bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The expected bytes of all downloads, as far as Nix knows. */
  get promised(): number {
    return this.#promised;
  }

  /** The name of the newest running activity, or empty. */
  get current(): string {
    return this.#current?.name ?? "";
  }

  /** The last line that a build wrote, not yet sanitized. */
  get last(): string {
    return this.#last;
  }

  get built(): { done: number; expected: number } {
    return this.#sum(builds);
  }

  get copied(): { done: number; expected: number } {
    return this.#sum(copyPaths);
  }

  /** Records the start of an activity. */
  start(id: string, entry: Entry): void {
    const type = entry["type"];
    if (typeof type !== "number" || !counted.has(type)) return;
    if (id === "" || this.#open.size >= openActivities) return;
    const path = fieldsOf(entry)[0];
    const isText = typeof path === "string";
    const named = type !== fileTransfer && isText;
    const activity: Activity = {
      type,
      name: named ? storeName(path) : "",
      start: this.now(),
      done: 0,
      expected: 0,
      phase: type === fileTransfer && isText ? fileOf(path) : "",
      parent: String(entry["parent"] ?? ""),
    };
    if (type === oneBuild && named) {
      activity.log = { drv: bounded(path), lines: [] };
    }
    this.#open.set(id, activity);
    if (activity.name !== "" && !(this.#current?.log && !activity.log)) {
      this.#current = activity;
    }
  }

  /** Records the end of an activity. */
  stop(id: string): void {
    const activity = this.#open.get(id);
    if (activity === undefined) return;
    this.#open.delete(id);
    if (activity.log) {
      this.#ended.push(activity.log);
      if (this.#ended.length > endedBuilds) this.#ended.shift();
    }
    if (activity === this.#current) this.#current = this.#latest();
  }

  /**
   * Records a result.
   *
   * @returns the line that a build wrote, with the name of the derivation, if
   * the result is a line.
   */
  result(id: string, entry: Entry): string | undefined {
    const [first, second] = fieldsOf(entry);
    const type = entry["type"];
    if (type === setExpected) return this.#promise(id, first, second);
    const activity = this.#open.get(id);
    const isLine = type === buildLogLine || type === hookLogLine;
    if (isLine && typeof first === "string") {
      // A longer line is cut, as everything else of the entry.
      const line = first.length > messageLength ? bounded(first) : first;
      return this.#line(activity, line);
    }
    if (activity === undefined) return undefined;
    if (type === setPhase && typeof first === "string") {
      activity.phase = bounded(first);
    } else if (type === progressed) {
      this.#count(activity, first, second);
    }
    return undefined;
  }

  /** Returns the tasks in progress, the oldest first. */
  tasks(): Task[] {
    const now = this.now();
    return [...this.#open.values()].flatMap((one): Task[] => {
      const ms = now - one.start;
      if (one.log) {
        return [{ kind: "build", name: one.name, ms, note: one.phase }];
      }
      if (one.type === copyPath && one.name !== "") {
        return [{ kind: "fetch", name: one.name, ms, note: fetched(one, ms) }];
      }
      // A download without a store path, for example an input of the flake.
      const isAlone = one.type === fileTransfer && ms > slow && one.done > 0 &&
        this.#open.get(one.parent)?.type !== copyPath;
      return isAlone
        ? [{ kind: "fetch", name: one.phase, ms, note: fetched(one, ms) }]
        : [];
    });
  }

  /** Returns the log of the last build of a derivation. */
  logOf(drv: string): BuildLog | undefined {
    const running = [...this.#open.values()].map((one) => one.log);
    const found = [...this.#ended, ...running].findLast((log) =>
      log?.drv === drv
    );
    return found && cleanLog(found);
  }

  #line(activity: Activity | undefined, text: string): string {
    if (text.trim() !== "") this.#last = text;
    if (activity?.log && text.trim() !== "") addLine(activity.log, text);
    return activity ? `${activity.name}> ${text}` : text;
  }

  /** Returns the newest running build, or the newest copy if nothing builds. */
  #latest(): Activity | undefined {
    let latest: Activity | undefined;
    for (const activity of this.#open.values()) {
      if (activity.log || (activity.name !== "" && !latest?.log)) {
        latest = activity;
      }
    }
    return latest;
  }

  #promise(id: string, type: unknown, bytes: unknown): undefined {
    if (type !== fileTransfer || !isCount(bytes)) return;
    if (this.#promises.size >= openActivities) return;
    this.#promisedNow += bytes - (this.#promises.get(id) ?? 0);
    this.#promises.set(id, bytes);
    this.#promised = Math.max(this.#promised, this.#promisedNow);
  }

  #count(activity: Activity, done: unknown, expected: unknown): void {
    if (!isCount(done) || !isCount(expected)) return;
    if (activity.type === fileTransfer) {
      this.#bytes += Math.max(0, done - activity.done);
    }
    const sum = this.#sum(activity.type);
    sum.done += done - activity.done;
    sum.expected += expected - activity.expected;
    activity.done = done;
    activity.expected = expected;
  }

  #sum(type: number): { done: number; expected: number } {
    let sum = this.#sums.get(type);
    if (!sum) this.#sums.set(type, sum = { done: 0, expected: 0 });
    return sum;
  }
}

const counted = new Set([
  copyPath,
  fileTransfer,
  copyPaths,
  builds,
  oneBuild,
  substitute,
]);

/** Returns the lines of a log, sanitized, without empty ones. */
function cleanLog({ drv, lines }: BuildLog): BuildLog {
  const clean = lines.flatMap((line) => safeLines(line).slice(-1).map(bounded));
  return { drv, lines: clean.slice(-logLines) };
}

/**
 * More lines than are shown, because some are empty once they are sanitized.
 */
const keptLines = 2 * logLines;

function addLine({ lines }: BuildLog, text: string): void {
  lines.push(text);
  if (lines.length > 2 * keptLines) lines.splice(0, keptLines);
}

/** `12 of 340 MiB, 5.2 MiB/s`. */
function fetched({ done, expected }: Activity, ms: number): string {
  const size = expected > done ? partText(done, expected) : sizeText(done);
  return ms > slow && done > 0
    ? `${size}, ${sizeText(done / ms * 1000)}/s`
    : size;
}

/** Returns the last part of a URL, without possible credentials. */
function fileOf(url: string): string {
  return bounded(url.replace(/[?#].*$/s, "").replace(/^.*\//s, ""));
}
