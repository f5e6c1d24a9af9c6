/**
 * Reads what `nixos-rebuild build --log-format internal-json` writes to
 * standard error: what to show while it builds, and what tells why it failed.
 *
 * Pure: no process, no file, no clock. Memory is bounded, whatever comes in.
 *
 * ## The format
 * Lines `@nix {json}` among plain lines of nixos-rebuild, git and ssh. Nix
 * documents it nowhere; it is `JSONLogger` in `src/libutil/logging.cc` with the
 * numbers of `logging.hh`, the same from Nix 2.8 to 2.34 and in Lix:
 * - `start`: an activity `id` of a `type` with `fields`,
 * - `stop`: its end,
 * - `result`: something about activity `id`, of another `type` with `fields`,
 * - `msg`: a message with a `level` (0 is an error, 1 a warning); errors have
 *   `raw_msg`, the text without traces, and `file`, `line`, `column`.
 *
 * @module
 */
import { parseSize } from "../base/size.ts";
import { safeLines } from "../base/text.ts";
import {
  bounded,
  type Entry,
  fieldsOf,
  idOf,
  isCount,
  messageLength,
  type NixError,
  parse,
  readError,
  storeName,
} from "./log_entry.ts";
import { type BuildFailure, explain } from "./failure.ts";
import { type BuildLog, logLines } from "./reasons.ts";

// Activity types of `logging.hh` that matter here (the others: 102 realise,
// 106 optimiseStore, 107 verifyPaths, 109 queryPathInfo, 110 postBuildHook,
// 111 buildWaiting, 112 fetchTree).
const copyPath = 100, fileTransfer = 101, copyPaths = 103, builds = 104;
const oneBuild = 105, substitute = 108;
// Result types (the others: 100 fileLinked, 104 setPhase, 106 setExpected,
// 107 postBuildLogLine).
const buildLogLine = 101, progressed = 105;

// Of the messages that tell what will be built and fetched.
const toldLevel = 3;

// What is kept, at most.
const endedBuilds = 32;
const openActivities = 10_000;
const keptErrors = 40;
const plainLines = 20;
// A longer line is not worth its parsing; errors with --show-trace have some
// 100 KiB.
const jsonLength = 4 * 1024 * 1024;

/** One running activity that is counted or has a log. */
interface Activity {
  type: number;
  /** The name of the derivation or store path, or empty. */
  name: string;
  done: number;
  expected: number;
  log?: BuildLog;
}

/** Reads the log line by line. One object for one build. */
export class NixLog {
  /** Running activities by id. Ids are text: they have up to 54 bits. */
  readonly #open = new Map<string, Activity>();
  readonly #sums = new Map<number, { done: number; expected: number }>();
  readonly #ended: BuildLog[] = [];
  readonly #errors: NixError[] = [];
  readonly #plain: string[] = [];
  #bytes = 0;
  #unpacked = 0;
  #current: Activity | undefined;

  /** @param isOffline See `Evidence`. */
  constructor(readonly isOffline: (drv: string) => boolean = () => false) {}

  /** The bytes that all it wants to fetch takes in the store; 0 until told. */
  get unpacked(): number {
    return this.#unpacked;
  }

  /** Takes one line, without its line end. Never throws. */
  line(text: string): void {
    if (!text.startsWith("@nix ")) return this.#readPlain(text);
    if (text.length > jsonLength) return;
    const entry = parse(text.slice(5));
    switch (entry?.["action"]) {
      case "start":
        return this.#start(idOf(text, entry), entry);
      case "stop":
        return this.#stop(idOf(text, entry));
      case "result":
        return this.#result(idOf(text, entry), entry);
      case "msg":
        return this.#message(entry);
    }
  }

  /**
   * What to show now, e.g. `3 of 12 built, 41 MiB fetched · linux-6.12.8`.
   * Bytes are those of downloads as they come over the wire. Cheap: no more
   * than some numbers put together.
   */
  progress(): string {
    const built = this.#sum(builds), copied = this.#sum(copyPaths);
    const parts = [
      built.expected > 0 ? `${built.done} of ${built.expected} built` : "",
      copied.expected > 0 ? `${copied.done} of ${copied.expected} copied` : "",
    ].filter((part) => part !== "");
    if (parts.length === 0) parts.push("evaluating");
    const bytes = size(this.#bytes);
    if (bytes !== "") parts.push(`${bytes} fetched`);
    const name = this.#current?.name;
    return parts.join(", ") + (name ? ` · ${name}` : "");
  }

  /** Why the build failed. Only meaningful if it did. */
  failure(): BuildFailure {
    return explain({
      errors: this.#errors.length > 0 ? this.#errors : this.#plainErrors(),
      plain: this.#plain,
      logOf: (drv) => this.#logOf(drv),
      isOffline: this.isOffline,
    });
  }

  #start(id: string, entry: Entry): void {
    const type = entry["type"];
    if (typeof type !== "number" || !counted.has(type)) return;
    if (id === "" || this.#open.size >= openActivities) return;
    const path = fieldsOf(entry)[0];
    const named = type !== fileTransfer && typeof path === "string";
    const activity: Activity = {
      type,
      name: named ? storeName(path) : "",
      done: 0,
      expected: 0,
    };
    if (type === oneBuild && named) {
      activity.log = { drv: bounded(path), lines: [] };
    }
    this.#open.set(id, activity);
    if (activity.name !== "" && !(this.#current?.log && !activity.log)) {
      this.#current = activity;
    }
  }

  #stop(id: string): void {
    const activity = this.#open.get(id);
    if (activity === undefined) return;
    this.#open.delete(id);
    if (activity.log) keep(this.#ended, activity.log, endedBuilds);
    if (activity === this.#current) this.#current = this.#latest();
  }

  /** The build that began last, or the copy that did, if none builds. */
  #latest(): Activity | undefined {
    let latest: Activity | undefined;
    for (const activity of this.#open.values()) {
      if (activity.log || (activity.name !== "" && !latest?.log)) {
        latest = activity;
      }
    }
    return latest;
  }

  #result(id: string, entry: Entry): void {
    const activity = this.#open.get(id);
    if (activity === undefined) return;
    const [first, second] = fieldsOf(entry);
    if (entry["type"] === buildLogLine && typeof first === "string") {
      addLine(activity.log, first);
    } else if (entry["type"] === progressed) {
      this.#count(activity, first, second);
    }
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

  #message(entry: Entry): void {
    if (entry["level"] === toldLevel) {
      this.#unpacked = Math.max(this.#unpacked, unpackedIn(entry));
    }
    if (entry["level"] !== 0) return;
    const error = readError(entry);
    if (error) keepBoth(this.#errors, error, keptErrors);
  }

  #readPlain(text: string): void {
    for (const line of safeLines(text.slice(0, messageLength))) {
      keep(this.#plain, bounded(line), plainLines);
    }
  }

  /** The last error that was not in JSON: one of nixos-rebuild, say. */
  #plainErrors(): NixError[] {
    const at = this.#plain.findLastIndex((line) => /^\s*error: \S/.test(line));
    if (at < 0) return [];
    const error = readError({ msg: this.#plain.slice(at).join("\n") });
    return error ? [error] : [];
  }

  #logOf(drv: string): BuildLog | undefined {
    const running = [...this.#open.values()].map((one) => one.log);
    return [...this.#ended, ...running].findLast((log) => log?.drv === drv);
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

function addLine(log: BuildLog | undefined, text: string): void {
  if (log === undefined) return;
  const line = safeLines(text.slice(0, messageLength)).at(-1);
  if (line === undefined) return;
  keep(log.lines, bounded(line), logLines);
}

/** Adds to a list that forgets its oldest. */
function keep<T>(list: T[], item: T, most: number): void {
  list.push(item);
  if (list.length > most) list.shift();
}

/** Adds to a list that keeps its first half and forgets in the second. */
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

/** `41 MiB`; empty for what is too little to say. */
function size(bytes: number): string {
  const mebi = bytes / 2 ** 20;
  if (mebi < 0.05) return "";
  if (mebi >= 1024) return `${(mebi / 1024).toFixed(1)} GiB`;
  return `${mebi < 9.95 ? mebi.toFixed(1) : Math.round(mebi)} MiB`;
}
