/**
 * Tells why a build failed by what Nix and the builders wrote. Pure.
 *
 * The rule for what is not the revision's fault, so that text in a build log
 * alone does not decide it:
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
 *
 * @module
 */
import { safeLines } from "../base/text.ts";
import type { NixError } from "./log_entry.ts";

/** How many lines of a derivation's log are kept. */
export const logLines = 10;

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

/** The end of one derivation's log. */
export interface BuildLog {
  /** The path of the derivation. */
  drv: string;
  lines: string[];
  /** Whether it said that it downloads, and so has a network to miss. */
  fetches: boolean;
}

/** An error with what it means. */
export interface Judged {
  reason: BuildReason;
  error: NixError;
  /** The derivation that failed, if one did. */
  drv?: string;
  context?: string[];
}

/** Everything about a failed build that the log has told. */
export interface Evidence {
  errors: readonly NixError[];
  /** Lines that were no entries: of nixos-rebuild, git, ssh. */
  plain: readonly string[];
  /** Whether Nix had come to the point of building something. */
  hasBuilt: boolean;
  /** The end of a derivation's log. */
  logOf(drv: string): BuildLog | undefined;
}

/** What one error means; `undefined` if it only follows from another. */
export function judge(error: NixError, evidence: Evidence): Judged | undefined {
  if (consequence.test(error.text)) return undefined;
  const drv = failedDerivation(error.text);
  if (drv !== undefined) {
    return judgeBuilder(error, drv, evidence.logOf(drv));
  }
  const reason = judgeGit(error.text, evidence.plain) ?? judgeText(error);
  // Nothing was started yet, so it was the evaluator that gave up.
  if (reason === "unknown" && !evidence.hasBuilt && !usage.test(error.text)) {
    return { reason: "evaluation-error", error };
  }
  return { reason, error, context: contextOf(reason, evidence.plain) };
}

/** What git or ssh said about a network that is not there. */
function contextOf(reason: BuildReason, plain: readonly string[]): string[] {
  if (reason !== "network" && reason !== "input-unavailable") return [];
  return plain.filter((line) => ofGit.test(line)).slice(-logLines);
}

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

/** Where a judgement stands in that order; the smallest explains the others. */
export function rank(judged: Judged): number {
  return ranks.indexOf(judged.reason);
}

/** Whether the same revision may build later. */
export function isTransient(reason: BuildReason): boolean {
  return transients.has(reason);
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
  // What the evaluator may not build is no derivation that failed.
  if (/during evaluation because the option '/.test(text)) return undefined;
  return /^[^\n]*?'(\/nix\/store\/[^'\s]+\.drv)'/.exec(text)?.[1];
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
export const memory =
  /Killed signal terminated program|signal: 9, SIGKILL|^LLVM ERROR: out of memory|^virtual memory exhausted|: line \d+:\s+\d+ Killed\b|^GC Warning: Out of Memory|std::bad_alloc/;

/** The first words of nixpkgs' fetchurl and fetchgit, and of Nix's own. */
export function isFetcher(line: string): boolean {
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
function judgeGit(
  text: string,
  plain: readonly string[],
): BuildReason | undefined {
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
