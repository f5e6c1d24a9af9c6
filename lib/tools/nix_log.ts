/**
 * Reads what `nixos-rebuild build --log-format internal-json` writes to
 * standard error: what to show while it builds, and why it failed.
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
import { count, oneLine, safeLines } from "../base/text.ts";

/** Why a build failed. Stable: part of the state and of `--json`. */
export type BuildReason =
  /** A derivation of this revision does not build. */
  | "builder-failed"
  /** The Nix code of this revision is wrong. */
  | "evaluation-error"
  /** The flake has no `nixosConfigurations.HOST`. */
  | "host-missing"
  /** There is no `flake.nix`. */
  | "flake-missing"
  /** `flake.lock` is missing, or does not agree with `flake.nix`. */
  | "lock-outdated"
  /** A download or an input is not what its hash says. */
  | "hash-mismatch"
  /** An input is not there, or this host may not read it. */
  | "input-unavailable"
  /** No space left for the store, its database or the build. */
  | "disk-full"
  /** No memory left, or a builder was killed. */
  | "out-of-memory"
  /** A substituter, an input or a source can't be reached. */
  | "network"
  /** The Nix daemon can't be reached or went away, or its database is busy. */
  | "daemon"
  /** The machine: read-only or broken disk, too many open files. */
  | "system"
  /** None of these. */
  | "unknown";

/** A failed build, in words. All text is safe for a terminal. */
export interface BuildFailure {
  reason: BuildReason;
  /**
   * Whether the same revision may build later, the failure not being its
   * fault. See {@linkcode NixLog.failure} for the rule.
   */
  transient: boolean;
  /** One line of at most 200 characters, e.g. `web-app-1.2.3 failed to build`. */
  summary: string;
  /** The end of the build log, or the error with its position. */
  details: string[];
}

// Activity types of `logging.hh` that matter here (the others: 102 realise,
// 106 optimiseStore, 107 verifyPaths, 109 queryPathInfo, 110 postBuildHook,
// 111 buildWaiting, 112 fetchTree).
const copyPath = 100, fileTransfer = 101, copyPaths = 103, builds = 104;
const oneBuild = 105, substitute = 108;
// Result types (the others: 100 fileLinked, 104 setPhase, 106 setExpected,
// 107 postBuildLogLine).
const buildLogLine = 101, progressed = 105;

// What is kept, at most.
const logLines = 10;
const lineLength = 500;
const messageLength = 4000;
const endedBuilds = 32;
const openActivities = 10_000;
const keptErrors = 40;
const plainLines = 20;
const detailLines = 20;
const summaryLength = 200;
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

/** The end of one derivation's log. */
interface BuildLog {
  /** The path of the derivation. */
  drv: string;
  lines: string[];
  /** Whether it said that it downloads, and so has a network to miss. */
  fetches: boolean;
}

/** An error of Nix itself, not of a builder. */
interface NixError {
  /** Without colour, traces and the leading `error:`. */
  text: string;
  /** `flake.nix:8:47`, or empty. */
  position: string;
  /** `Did you mean web?`, or empty. */
  suggestion: string;
  /** Whether the evaluator added to it where it was. */
  traced: boolean;
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
  #current: Activity | undefined;

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

  /**
   * Why the build failed. Only meaningful if it did.
   *
   * The rule for what is not the revision's fault, so that text in a build
   * log alone does not decide it:
   * 1. Nix's own error messages count by what they say.
   * 2. A failed builder is the revision's fault, unless
   *    - Nix itself notes that the disk was full, or one of the last
   *      {@linkcode logLines} lines *ends* in the operating system's message as
   *      programs print it (`tool: No space left on device`, errno 28,
   *      ENOSPC), and does not begin like a compiler's `file:line:`;
   *    - it was killed by signal 9, or the log says so of a compiler;
   *    - it is one that downloads (nixpkgs' fetchurl and fetchgit and Nix's own
   *      fetchurl say so) and ended in an error of curl or git about the
   *      network. Any other builder has no network and always fails there.
   * 3. Of several errors a full disk wins, as it makes others fail; then what
   *    is the revision's fault for certain; then the rest.
   * 4. Nix ending without a word (killed, crashed) is transient.
   */
  failure(): BuildFailure {
    const errors = this.#errors.length > 0 ? this.#errors : this.#plainErrors();
    const found = errors.map((error) => this.#judge(error)).filter((one) =>
      one !== undefined
    );
    found.sort((a, b) => rank(a) - rank(b));
    const worst = found[0];
    if (worst === undefined) return this.#silent(errors);
    return worst.drv === undefined
      ? told(worst)
      : this.#derivations(worst, found);
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
      activity.log = { drv: bounded(path), lines: [], fetches: false };
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

  #judge(error: NixError): Judged | undefined {
    if (consequence.test(error.text)) return undefined;
    const drv = failedDerivation(error.text);
    if (drv !== undefined) {
      return judgeBuilder(error, drv, this.#logOf(drv));
    }
    const reason = judgeGit(error.text, this.#plain) ?? judgeText(error);
    // Nothing was started yet, so it was the evaluator that gave up.
    if (
      reason === "unknown" && !this.#sums.has(builds) && !usage.test(error.text)
    ) {
      return { reason: "evaluation-error", error };
    }
    return { reason, error, context: this.#context(reason) };
  }

  /** What git or ssh said about a network that is not there. */
  #context(reason: BuildReason): string[] {
    if (reason !== "network" && reason !== "input-unavailable") return [];
    return this.#plain.filter((line) => ofGit.test(line)).slice(-logLines);
  }

  #logOf(drv: string): BuildLog | undefined {
    const running = [...this.#open.values()].map((one) => one.log);
    return [...this.#ended, ...running].findLast((log) => log?.drv === drv);
  }

  #silent(errors: NixError[]): BuildFailure {
    const error = errors.at(-1);
    if (error) return told({ reason: "builder-failed", error });
    const lines = this.#plain.slice(-logLines);
    return {
      reason: lines.some((line) => memory.test(line))
        ? "out-of-memory"
        : "unknown",
      transient: true,
      summary: "Nix ended without saying why",
      details: lines,
    };
  }

  /** Says which derivations failed for the worst reason, with their logs. */
  #derivations(worst: Judged, found: Judged[]): BuildFailure {
    const same = found.filter((one) => one.reason === worst.reason && one.drv);
    const names = [...new Set(same.map((one) => storeName(one.drv!)))];
    const details = same.slice(0, 3).flatMap((one) => {
      const lines = this.#logOf(one.drv!)?.lines ?? [];
      const shown = lines.length > 0 && one.reason !== "hash-mismatch"
        ? lines
        : afterFirst(one.error.text);
      if (names.length === 1) return shown;
      return [
        `${storeName(one.drv!)}:`,
        ...shown.map((line) => `  ${line}`),
      ];
    });
    const shownNames = names.slice(0, 3).join(", ") +
      (names.length > 3 ? ` and ${names.length - 3} more` : "");
    return {
      reason: worst.reason,
      transient: isTransient(worst.reason),
      summary: oneLine(
        `${shownNames} ${endings[worst.reason] ?? endings["builder-failed"]}${
          names.length === 1 ? exitOf(worst.error.text) : ""
        }`,
        summaryLength,
      ),
      details,
    };
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

type Entry = Record<string, unknown>;

/** An error with what it means. */
interface Judged {
  reason: BuildReason;
  error: NixError;
  /** The derivation that failed, if one did. */
  drv?: string;
  context?: string[];
}

/** How the sentence `NAME …` goes on. */
const endings: Partial<Record<BuildReason, string>> = {
  "builder-failed": "failed to build",
  "hash-mismatch": "is not what its hash says",
  "disk-full": "failed to build: no space left on device",
  "out-of-memory": "failed to build: it was killed, or memory ran out",
  "network": "could not be downloaded",
};

const beginnings: Partial<Record<BuildReason, string>> = {
  "evaluation-error": "evaluation failed: ",
  "disk-full": "no space left: ",
  "network": "can't download: ",
  "input-unavailable": "an input is not available: ",
};

/** In the order in which one explains the others. */
const ranks: readonly BuildReason[] = [
  "disk-full",
  "host-missing",
  "flake-missing",
  "lock-outdated",
  "hash-mismatch",
  "builder-failed",
  "evaluation-error",
  "input-unavailable",
  "out-of-memory",
  "network",
  "daemon",
  "system",
  "unknown",
];

const transients = new Set<BuildReason>([
  "disk-full",
  "out-of-memory",
  "network",
  "daemon",
  "system",
]);

function rank(judged: Judged): number {
  return ranks.indexOf(judged.reason);
}

function isTransient(reason: BuildReason): boolean {
  return transients.has(reason);
}

/** A failure told by Nix's own message. */
function told({ reason, error, context }: Judged): BuildFailure {
  const text = beautiful(error.text);
  const lines = text.split("\n");
  const details = lines.length > 1 || text.length > summaryLength / 2
    ? lines.slice(0, detailLines)
    : [];
  if (lines.length > detailLines) {
    details.push(`(${count(lines.length - detailLines, "more line")})`);
  }
  if (error.position !== "") details.push(`at ${error.position}`);
  if (error.suggestion !== "") details.push(error.suggestion);
  return {
    reason,
    transient: isTransient(reason),
    summary: oneLine(headline(reason, text), summaryLength),
    details: [...details, ...context ?? []].map((line) => bounded(line)),
  };
}

function headline(reason: BuildReason, text: string): string {
  if (reason === "host-missing") {
    const host = /nixosConfigurations\."?([^".' ]+)/.exec(text)?.[1];
    return `the flake has no nixosConfigurations.${host ?? "HOST"}`;
  }
  if (reason === "flake-missing") return "there is no flake.nix";
  if (reason === "lock-outdated") {
    return "flake.lock is missing or does not agree with flake.nix";
  }
  return `${beginnings[reason] ?? ""}${text}`;
}

/** Store paths of sources and references to the mirror say nothing to people. */
function beautiful(text: string): string {
  return text.replace(
    /\/nix\/store\/[0-9a-z]{32}-source\/|«git\+file:[^»]*»\//g,
    "",
  );
}

// What Nix says of everything that needed what failed.
const consequence =
  /dependenc(?:y|ies) of derivation '[^']*' failed to build|^Cannot build '[^']*'\.\s+Reason: \d+ dependenc(?:y|ies) failed|^(?:Build failed due to failed dependency|build of .*\.drv.* failed$)/;

// Words of nix(1) about its command line or settings: not the revision's.
const usage =
  /^(?:unrecognised flag|experimental Nix feature|flag '|unknown option|'[^']*' is not a recognised command)/;

/** The derivation that a message is about, unless it is about substitution. */
function failedDerivation(text: string): string | undefined {
  if (/^some substitutes for the outputs/.test(text)) return undefined;
  return /^[^\n]*?'(\/nix\/store\/[^'\s]+\.drv)'/.exec(text)?.[1];
}

/** `(exit code 1)`, as part of a sentence. */
function exitOf(text: string): string {
  const code = /failed with exit code (\d+)/.exec(text)?.[1];
  if (code !== undefined && code !== "1") return ` (exit code ${code})`;
  const late = /timed out after [^\n]*/.exec(text)?.[0];
  return late === undefined ? "" : ` (${late})`;
}

function judgeBuilder(error: NixError, drv: string, log?: BuildLog): Judged {
  return { reason: builderReason(error.text, log), error, drv };
}

function builderReason(text: string, log?: BuildLog): BuildReason {
  if (/^hash mismatch in fixed-output/.test(text)) return "hash-mismatch";
  const lines = log?.lines ?? tailOf(text);
  if (/lack of free disk space/.test(text)) return "disk-full";
  if (lines.some(isDiskFull)) return "disk-full";
  if (/due to signal 9\b/.test(text)) return "out-of-memory";
  if (lines.some((line) => memory.test(line))) return "out-of-memory";
  const fetches = log?.fetches ?? lines.some(isFetcher);
  if (fetches && lines.some(missesNetwork)) return "network";
  return "builder-failed";
}

/** The end of the log that Nix repeats in its error, where it does. */
function tailOf(text: string): string[] {
  return safeLines(text).flatMap((line) =>
    /^\s*> (.*)/.exec(line)?.slice(1) ?? []
  );
}

const noSpace =
  /(?:^|: )(?:\[Errno 28\] )?No space left on device(?: \(os error 28\))?(?:: '[^']*')?\.?$|\bENOSPC: no space left on device/;
const diagnostic = /^\S+:\d+(?::\d+)?: /;

function isDiskFull(line: string): boolean {
  return noSpace.test(line) && !diagnostic.test(line);
}

// Compilers, shells, LLVM, cargo, and Nix's garbage collector.
const memory =
  /Killed signal terminated program|signal: 9, SIGKILL|^LLVM ERROR: out of memory|^virtual memory exhausted|: line \d+:\s+\d+ Killed\b|^GC Warning: Out of Memory|std::bad_alloc/;

/** The first words of nixpkgs' fetchurl and fetchgit, and of Nix's own. */
function isFetcher(line: string): boolean {
  return /^trying https?:\/\/|^exporting \S+ \(rev |^error: cannot download |^\s*error: unable to download '/
    .test(line);
}

// curl(1), "EXIT CODES": what the other side or the way to it causes.
const curl = /^\s*curl: \((?:5|6|7|16|18|28|35|52|55|56|92)\) /;
const unreached =
  /could(?:n't| not) (?:resolve|connect)|name or service not known|temporary failure in name resolution|failed to connect|connection (?:refused|reset|timed out|closed)|timed out|timeout was reached|network is unreachable|no route to host|returned error: (?:5\d\d|429)|early EOF|unexpected disconnect|RPC failed|hung up unexpectedly/i;

function missesNetwork(line: string): boolean {
  if (curl.test(line)) return true;
  if (/^\s*curl: \(22\) .*error: (?:5\d\d|429)/.test(line)) return true;
  if (/^\s*error: unable to download '/.test(line)) {
    return judgeDownload(line) === "network";
  }
  return /^fatal: /.test(line) && unreached.test(line);
}

/** `unable to download 'URL': …`, in Nix's words. */
function judgeDownload(text: string): BuildReason {
  const status = /HTTP error (\d+)/.exec(text)?.[1];
  if (status === undefined || /^5|^4(?:08|25|29)$/.test(status)) {
    return "network";
  }
  // A cache that lists what it does not have is not the revision's fault.
  if (/download '[^']*(?:\/nar\/|\.narinfo)/.test(text)) return "network";
  return /rate limit/i.test(text) ? "network" : "input-unavailable";
}

const ofGit = /^(?:fatal|error|ssh|remote|kex_exchange_identification|curl): /;

/** A fetch by git or ssh, whose own words are plain lines before the error. */
function judgeGit(text: string, plain: string[]): BuildReason | undefined {
  const fetch =
    /^program '(?:git|hg|ssh)' failed|^Cannot find Git revision|^[Ff]ailed to fetch (?:git|Git)|^'git' failed|^fetching Git/
      .test(text);
  if (!fetch) return undefined;
  const said = plain.filter((line) => ofGit.test(line));
  return said.some((line) => unreached.test(line))
    ? "network"
    : "input-unavailable";
}

/** Nix's own messages, as seen from Nix 2.8 to 2.34. First match wins. */
const sorts: readonly [BuildReason, RegExp][] = [
  [
    "disk-full",
    /(?:^|: )(?:No space left on device|Disk quota exceeded)$|database or disk is full/m,
  ],
  [
    "out-of-memory",
    /: Cannot allocate memory$|^out of memory|std::bad_alloc/m,
  ],
  [
    "lock-outdated",
    /requires lock file changes|^cannot write modified lock file/,
  ],
  ["host-missing", /does not provide attribute .*nixosConfigurations/],
  [
    "flake-missing",
    /flake\.nix'? does not exist|flake\.nix': No such file or directory|does not contain a '?\/?(?:[^']*\/)?flake\.nix|^could not find a flake\.nix/,
  ],
  [
    "network",
    /^some substitutes for the outputs|^unable to check|^failed to (?:open|read) .*connection/,
  ],
  [
    "daemon",
    /cannot connect to (?:socket|daemon)|[Dd]aemon disconnected|^unexpected end-of-file|cannot open connection to remote store|database is locked|is busy$|daemon-socket\/socket'|: (?:Broken pipe|Connection reset by peer)$/,
  ],
  [
    "system",
    /: (?:Input\/output error|Read-only file system|Too many open files(?: in system)?|Structure needs cleaning|Stale file handle|Bad message)$|disk I\/O error|database disk image is malformed/m,
  ],
  // After `hash mismatch in fixed-output derivation`, which names a derivation.
  ["network", /^hash mismatch importing path/],
  ["hash-mismatch", /^(?:NAR )?hash mismatch/],
];

function judgeText(error: NixError): BuildReason {
  const { text } = error;
  // The position of the text itself: only the evaluator knows one.
  if (error.position !== "" && !error.traced) return "evaluation-error";
  if (/(?:^|error: )unable to download '/.test(text)) {
    return judgeDownload(text);
  }
  const sort = sorts.find(([, pattern]) => pattern.test(text));
  if (sort) return sort[0];
  return error.traced || error.position !== "" ? "evaluation-error" : "unknown";
}

/** Reads a message of level 0; some are remarks, and no errors. */
function readError(entry: Entry): NixError | undefined {
  const raw = entry["raw_msg"], shown = entry["msg"];
  const whole = typeof shown === "string" ? plainText(shown) : "";
  if (typeof raw !== "string" && !/^\s*error:\s/.test(whole)) return undefined;
  const text = typeof raw === "string"
    ? plainText(raw.slice(0, messageLength))
    : innermost(whole);
  if (text === "") return undefined;
  const own = positionOf(entry);
  return {
    text: copy(text.slice(0, messageLength)),
    position: bounded(own || tracedPosition(entry) || positionIn(whole)),
    suggestion: bounded(
      /\n\s*(Did you mean [^\n]{1,200}\?)\s*$/.exec(whole)?.[1] ?? "",
    ),
    traced: own === "" && /^\s*… /m.test(whole),
  };
}

/** Without colour and control characters, but with its lines. */
function plainText(text: string): string {
  return safeLines(text).join("\n").trim();
}

/** The part after the last `error:`, without the traces on either side. */
function innermost(text: string): string {
  const lines = text.split("\n");
  const at = lines.findLastIndex((line) => /^\s*error:\s+\S/.test(line));
  const [first, ...rest] = lines.slice(at);
  const end = rest.findIndex((line) =>
    /^\s*(?:… |at \S+:\d+:\d+:?$|Did you mean )/.test(line)
  );
  return [
    (first ?? "").replace(/^\s*error:\s+/, ""),
    ...(end < 0 ? rest : rest.slice(0, end)).map((line) =>
      line.replace(/^ {1,7}/, "")
    ),
  ].join("\n");
}

function positionOf(entry: Entry): string {
  const { file, line, column } = entry as Record<string, unknown>;
  if (typeof file !== "string" || !isCount(line) || !isCount(column)) return "";
  if (/^[<«](?:nix\/|internal|none|string|stdin)/.test(file)) return "";
  const at = `:${line}:${column}`;
  return oneLine(beautiful(file.endsWith(at) ? file : file + at));
}

/** The innermost place of `--show-trace`, for a `throw`, which has none. */
function tracedPosition(entry: Entry): string {
  if (!Array.isArray(entry["trace"])) return "";
  for (const frame of entry["trace"]) {
    const position = isEntry(frame) ? positionOf(frame) : "";
    if (position !== "") return position;
  }
  return "";
}

/** The place in a message without fields for it, or of Nix 2.8's traces. */
function positionIn(whole: string): string {
  // Without --show-trace the innermost places are those that are left out.
  if (/stack trace truncated/.test(whole)) return "";
  const found = /(?:^|\n)\s*at (\/\S+:\d+:\d+):?(?:\n|$)/.exec(
    whole.slice(Math.max(0, whole.search(/error:\s+\S/))),
  );
  return found ? oneLine(beautiful(found[1]!)) : "";
}

function parse(text: string): Entry | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isEntry(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isEntry(value: unknown): value is Entry {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * The id as text. It is the process id times 2^32 plus a number, which a
 * double can't hold if the process id is above 2^21.
 */
function idOf(text: string, entry: Entry): string {
  const id = entry["id"];
  if (typeof id !== "number") return "";
  if (Number.isSafeInteger(id)) return String(id);
  // A quote within a JSON string has a backslash, so this is no field's text.
  return /"id":\s*(\d+)/.exec(text)?.[1] ?? "";
}

function fieldsOf(entry: Entry): unknown[] {
  return Array.isArray(entry["fields"]) ? entry["fields"] : [];
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && Number.isFinite(value);
}

/** `/nix/store/HASH-linux-6.12.8.drv` is `linux-6.12.8`. */
function storeName(path: string): string {
  const file = bounded(path.slice(path.lastIndexOf("/") + 1));
  return oneLine(
    file.replace(/^[0-9a-z]{32}-/, "").replace(/\.drv$/, ""),
    80,
  );
}

function addLine(log: BuildLog | undefined, text: string): void {
  if (log === undefined) return;
  const line = safeLines(text.slice(0, messageLength)).at(-1);
  if (line === undefined) return;
  log.fetches ||= isFetcher(line);
  keep(log.lines, bounded(line), logLines);
}

function bounded(text: string): string {
  if (text.length <= lineLength) return copy(text);
  return copy(`${text.slice(0, lineLength - 1)}…`);
}

/** A part of a text keeps the whole of it in memory; its copy does not. */
function copy(text: string): string {
  return Array.from(text).join("");
}

function afterFirst(text: string): string[] {
  return safeLines(text).slice(1, 1 + logLines).map((line) => line.trim());
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

/** `41 MiB`; empty for what is too little to say. */
function size(bytes: number): string {
  const mebi = bytes / 2 ** 20;
  if (mebi < 0.05) return "";
  if (mebi >= 1024) return `${(mebi / 1024).toFixed(1)} GiB`;
  return `${mebi < 9.95 ? mebi.toFixed(1) : Math.round(mebi)} MiB`;
}
