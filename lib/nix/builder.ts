/**
 * Judges why a builder failed, by its output. Pure.
 *
 * A builder that ran and failed without a network will fail again, except if
 * - Nix itself reports a full disk, or one of the last lines *ends* in the
 *   operating system's message as programs print it (`tool: No space left on
 *   device`, errno 28, ENOSPC), and does not begin like a compiler's
 *   `file:line:`;
 * - it was killed, or its log says that a compiler was killed, or it took too
 *   long.
 *
 * @module
 */
import { safeLines } from "../base/text.ts";
import type { BuildReason, Evidence } from "./reasons.ts";

/** Returns why the builder of a derivation failed, by Nix's message. */
export function builderReason(
  text: string,
  drv: string,
  { logOf, isOffline }: Pick<Evidence, "logOf" | "isOffline">,
): BuildReason {
  if (/^hash mismatch in fixed-output/.test(text)) return "hash-mismatch";
  if (noBuilder.test(text)) return "no-builder";
  const lines = logOf(drv)?.lines ?? tailOf(text);
  if (/lack of free disk space/.test(text)) return "disk-full";
  if (lines.some(isDiskFull)) return "disk-full";
  const signal = /failed due to signal (\d+)\b/.exec(text)?.[1];
  if (signal === "9") return "out-of-memory";
  if (lines.some((line) => memory.test(line))) return "out-of-memory";
  if (signal !== undefined && !crashes.has(signal)) return "builder-killed";
  if (/timed out after/.test(text)) return "builder-timed-out";
  if (!failed.test(text)) return "unknown";
  if (isOffline(drv)) return "builder-failed";
  return lines.some(missesNetwork) ? "network" : "download-failed";
}

/** No machine may build it. This is about the machines, not about the flake. */
export const noBuilder =
  /^unable to start any build|with features \{[^}]*\} is required to build|required system or feature not available/i;

/** Nix's words for a builder that ran. */
const failed =
  /builder (?:for '[^']*' )?failed (?:with exit code \d|due to signal \d|to produce output)|^cycle detected in build of '|^derivation '[^'\n]*' output check/;

/** Crashes of the program: SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS. */
const crashes = new Set(["4", "6", "7", "8", "11", "31"]);

/** Returns the end of the log that Nix may repeat in its error. */
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

/** Words of compilers, shells, LLVM, cargo, and Nix's garbage collector. */
export const memory =
  /Killed signal terminated program|signal: 9, SIGKILL|^LLVM ERROR: out of memory|^virtual memory exhausted|: line \d+:\s+\d+ Killed\b|^GC Warning: Out of Memory|std::bad_alloc/;

// curl(1), "EXIT CODES": failures of the server or the network.
const curl = /^\s*curl: \((?:5|6|7|16|18|28|35|52|55|56|92)\) /;

/** Words of git, curl and ssh if no server answered. */
export const unreached =
  /could(?:n't| not) (?:resolve|connect)|name or service not known|temporary failure in name resolution|failed to connect|connection (?:refused|reset|timed out|closed)|timed out|timeout was reached|network is unreachable|no route to host|returned error: (?:5\d\d|429)|early EOF|unexpected disconnect|RPC failed|hung up unexpectedly/i;

function missesNetwork(line: string): boolean {
  return curl.test(line) ||
    /^\s*curl: \(22\) .*error: (?:5\d\d|429)/.test(line) ||
    /^\s*error: (?:unable to|cannot) download /.test(line) ||
    /^fatal: /.test(line) && unreached.test(line);
}
