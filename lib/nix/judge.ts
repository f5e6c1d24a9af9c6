/**
 * Judges what Nix's own errors mean. Pure.
 *
 * @module
 */
import { builderReason, noBuilder, unreached } from "./builder.ts";
import { isEvaluators } from "./evaluator.ts";
import type { NixError } from "./log_entry.ts";
import {
  type BuildReason,
  type Evidence,
  type Judged,
  logLines,
} from "./reasons.ts";

/** Returns what an error means; `undefined` if it only follows from another. */
export function judge(error: NixError, evidence: Evidence): Judged | undefined {
  if (consequence.test(error.text)) return undefined;
  if (flakeMissing.test(error.text)) return { reason: "flake-missing", error };
  if (isEvaluators(error)) return { reason: "evaluation-error", error };
  const drv = failedDerivation(error.text);
  if (drv !== undefined) {
    return { reason: builderReason(error.text, drv, evidence), error, drv };
  }
  const { plain } = evidence;
  const reason = judgeGit(error.text, plain) ?? judgeText(error.text);
  return { reason, error, context: contextOf(reason, plain) };
}

/** Returns what git or ssh printed about a server. */
function contextOf(reason: BuildReason, plain: readonly string[]): string[] {
  const isOfServer = ["network", "slow-down", "input-denied"].includes(reason);
  if (!isOfServer && reason !== "input-unavailable") return [];
  return plain.filter((line) => ofGit.test(line)).slice(-logLines);
}

const flakeMissing =
  /^(?:path|getting status of) '\/nix\/store\/[0-9a-z]{32}-source\/(?:[^'\n]*\/)?flake\.nix'(?: does not exist|: No such file or directory)$|^source tree referenced by '[^'\n]*' does not contain a '?\/?(?:[^'\n]*\/)?flake\.nix|^could not find a flake\.nix/;

// Nix's words for everything that depends on the failed part.
const consequence =
  /dependenc(?:y|ies) of derivation '[^']*' failed to build|^Cannot build '[^']*'\.\s+Reason: \d+ dependenc(?:y|ies) failed|^(?:Build failed due to failed dependency|build of .*\.drv.* failed$)/;

/**
 * Returns the derivation that a message is about, unless it is about
 * substitution.
 */
function failedDerivation(text: string): string | undefined {
  if (/^some substitutes for the outputs/.test(text)) return undefined;
  // A derivation that the evaluator may not build did not fail.
  if (/during evaluation because the option '/.test(text)) return undefined;
  return /^[^\n]*?'(\/nix\/store\/[^'\s]+\.drv)(?:[!^][^']*)?'/.exec(text)?.[1];
}

/** `unable to download 'URL': …`, in Nix's words. */
function judgeDownload(text: string): BuildReason {
  // A file of this host will not appear later.
  if (/download 'file:/.test(text)) return "input-unavailable";
  const status = /HTTP error (\d+)/.exec(text)?.[1];
  if (asksToSlowDown.test(text)) return "slow-down";
  // The server began a good answer and stopped.
  if (status === undefined || /^[25]|^408$/.test(status)) return "network";
  // The cache lists a file that it does not have.
  if (/download '[^']*(?:\/nar\/|\.narinfo)/.test(text)) return "network";
  return /^40[137]$/.test(status) ? "input-denied" : "input-unavailable";
}

/** By the status, or by the words of forges that answer 403. */
const asksToSlowDown =
  /HTTP error (?:429|425)\b|HTTP error (?:403|503)[^]*(?:rate limit|abuse detection|slow down|too many requests|retry later)/i;

const ofGit = /^(?:fatal|error|ssh|remote|kex_exchange_identification|curl): /;
const denied =
  /Authentication failed|could not read (?:Username|Password)|Permission denied|returned error: 40[13]|Access denied|not authorized/i;

/**
 * Judges a fetch by git or ssh. Their own words are plain lines before the
 * error.
 */
function judgeGit(
  text: string,
  plain: readonly string[],
): BuildReason | undefined {
  const fetch =
    /^program '(?:git|hg|ssh)' failed|^Cannot find Git revision|^[Ff]ailed to fetch (?:git|Git)|^'git' failed|^fetching Git/
      .test(text);
  if (!fetch) return undefined;
  const said = plain.filter((line) => ofGit.test(line));
  const has = (pattern: RegExp) => said.some((line) => pattern.test(line));
  if (has(/returned error: 429|rate limit|too many requests/i)) {
    return "slow-down";
  }
  if (has(unreached)) return "network";
  return has(denied) ? "input-denied" : "input-unavailable";
}

/** Messages of Nix 2.8 to 2.34. The first match wins. */
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
    /^flake '[^'\n]*' requires lock file changes|^cannot write modified lock file of flake '/,
  ],
  [
    "host-missing",
    /^flake '[^'\n]*' does not provide attribute .*nixosConfigurations/,
  ],
  [
    "network",
    /^some substitutes for the outputs|^unable to check|^failed to (?:open|read) .*connection|^NAR info file '[^'\n]*' is corrupt|^failed to open archive|^tarball '[^'\n]*' contains an unexpected number|^cannot read file [^\n]* from tarball|^(?:failed to )?(?:decompress|(?:gzip|xz|zstd|bzip2|brotli) decompression)/i,
  ],
  ["no-builder", noBuilder],
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
  ["hash-mismatch", /^(?:NAR )?hash mismatch|^mismatch in field 'narHash'/],
];

function judgeText(text: string): BuildReason {
  if (
    /^(?:[Ff]ailed to open archive \([^\n]*)?unable to download '/.test(text)
  ) {
    return judgeDownload(text);
  }
  return sorts.find(([, pattern]) => pattern.test(text))?.[0] ?? "unknown";
}
