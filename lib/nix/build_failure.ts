/**
 * The error for a build that failed, with what to do about it.
 *
 * @module
 */
import { SyncError } from "../base/errors.ts";
import { short } from "../base/text.ts";
import type { Config } from "../config/schema.ts";
import type { Readable } from "../run/stages.ts";
import type { BuildFailure } from "./failure.ts";

/** Least pause after a server asked to slow down and Nix did not say how long. */
const slowDown = 10 * 60_000;

/** The error for what Nix said. */
export function failed(
  said: BuildFailure,
  { commit }: Readable,
  config: Config,
): SyncError {
  const failure = withoutFolder(said, config);
  return new SyncError(
    `Cannot build ${short(commit.revision)}: ${failure.summary}`,
    {
      stage: "build",
      reason: failure.reason,
      next: failure.transient ? "retry" : "hold",
      details: failure.details,
      ...failure.reason === "slow-down" ? { after: slowDown } : {},
      hints: [
        ...hintsFor(failure),
        ...(failure.logs ?? []).map((drv) => `the whole log: nix log ${drv}`),
        ...hashHint(commit.revision),
      ],
    },
  );
}

/** Nix 2.8 says of a folder of the flake that is missing only that it is. */
function withoutFolder(failure: BuildFailure, { directory }: Config) {
  const missing =
    /^(?:evaluation failed: )?getting status of '([^']+)': No such file or directory$/
      .exec(
        failure.summary,
      )?.[1];
  return missing !== undefined && `${directory}/`.startsWith(`${missing}/`)
    ? {
      ...failure,
      reason: "flake-missing" as const,
      summary: `there is no ${directory}/flake.nix`,
    }
    : failure;
}

function hintsFor(failure: BuildFailure): string[] {
  const hint = hintFor(failure);
  return hint === undefined ? [] : [hint];
}

/** Whatever Nix says of such a hash, it is not what went wrong. */
function hashHint(revision: string): string[] {
  return revision.length === 64
    ? [
      "the repository names its commits by SHA-256, which Nix may not know (2.8 does not): one of SHA-1 works",
    ]
    : [];
}

function hintFor({ reason }: BuildFailure): string | undefined {
  switch (reason) {
    case "disk-full":
      return "free some space (nix-collect-garbage --delete-older-than 30d); the next run tries again";
    case "network":
      return "a substituter or an input of the flake can't be reached; the next run tries again";
    case "daemon":
      return "look at the Nix daemon: systemctl status nix-daemon; the next run tries again";
    case "slow-down":
      return "the server asks to slow down: the next runs leave it alone for a while; a token raises the limit of most forges (inputs.accessTokensFile)";
    case "input-denied":
      return "look whether the credentials of the flake's inputs are named and have not expired: inputs.sshKeys, inputs.netrcFile, inputs.accessTokensFile; the next run tries again";
    case "hash-mismatch":
      return "if the file was changed on purpose, write its new hash and push; if a proxy or a login page answered in its place, the next run tries again";
    case "download-failed":
      return "look at the lines above: what it downloads may be gone, or a server may be down; the next run tries again";
    case "builder-timed-out":
      return "raise timeout or max-silent-time in nix.conf, or let another machine build; the next run tries again";
    case "builder-killed":
      return "look who ended it: journalctl -k; the next run tries again";
    case "no-builder":
      return "look at max-jobs, builders, system-features and extra-platforms in nix.conf, and whether the caches answer; the next run tries again";
    case "unknown":
      return "Nix does not say whose fault it is, so the next run tries again";
    case "input-unavailable":
      return "look in flake.nix and .gitmodules whether each URL is right and this host may read it: Git fetches over https, http and ssh, and runs no command; a file of the host is no submodule of a repository from elsewhere";
    case "host-missing":
      return "name one of the flake's nixosConfigurations with host (--host) in the configuration";
    case "flake-missing":
      return "name the folder of flake.nix with directory (--directory) in the configuration";
    case "lock-outdated":
      return "run nix flake lock, commit flake.lock and push";
    default:
      return undefined;
  }
}
