/**
 * Returns the error for a failed build, with a hint.
 *
 * @module
 */
import { SyncError } from "../base/errors.ts";
import { oneLine, short } from "../base/text.ts";
import type { Config } from "../config/schema.ts";
import type { Readable } from "../run/stages.ts";
import type { BuildFailure } from "./failure.ts";

/** The shortest pause after a server limits requests, in milliseconds. */
const slowDown = 10 * 60_000;

/**
 * Returns the error for a failed build.
 *
 * @param hosts The hosts of the flake, if they are known.
 */
export function failed(
  said: BuildFailure,
  { commit }: Readable,
  config: Config,
  hosts?: readonly string[],
): SyncError {
  const failure = withHosts(withoutFolder(said, config), config, hosts);
  return new SyncError(
    `Cannot build ${short(commit.revision)}: ${failure.summary}`,
    {
      stage: "build",
      reason: failure.reason,
      next: failure.transient ? "retry" : "hold",
      details: failure.details,
      ...failure.reason === "slow-down" ? { after: slowDown } : {},
      hints: [
        ...hintsFor(failure, config, hosts),
        ...(failure.logs ?? []).map((drv) =>
          `Read the whole build log: \`nix log ${drv}\`.`
        ),
        ...hashHint(commit.revision),
      ],
    },
  );
}

/** Nix reports a missing host and a host without a system in the same words. */
function withHosts(
  failure: BuildFailure,
  { host }: Config,
  hosts: readonly string[] | undefined,
): BuildFailure {
  if (failure.reason !== "host-missing" || !hosts) return failure;
  return {
    ...failure,
    summary: hosts.includes(host)
      ? `nixosConfigurations.${host} has no config.system.build.toplevel`
      : `the flake has no nixosConfigurations.${host}`,
    // Nix's guess is about another attribute.
    details: [],
  };
}

/** Nix 2.8 reports a missing folder of the flake like any missing file. */
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

function hintsFor(
  failure: BuildFailure,
  { host }: Config,
  hosts: readonly string[] | undefined,
): string[] {
  const hint = failure.reason === "host-missing" && hosts
    ? hostHint(host, hosts)
    : hintFor(failure);
  return hint === undefined ? [] : [hint];
}

/** The most hosts that a hint names. */
const mostHosts = 10;

function hostHint(host: string, hosts: readonly string[]): string {
  if (hosts.includes(host)) {
    return `Define nixosConfigurations.${host} with nixpkgs.lib.nixosSystem, and push.`;
  }
  if (hosts.length === 0) {
    return `Add nixosConfigurations.${host} to flake.nix, and push.`;
  }
  const named = hosts.slice(0, mostHosts).map((one) => oneLine(one, 60))
    .join(", ");
  const more = hosts.length - mostHosts;
  return `Set \`host\` (or \`--host\`) to one of the flake's hosts: ${named}${
    more > 0 ? ` and ${more} more` : ""
  }.`;
}

/** What Nix says of a commit hash that it does not know misleads. */
function hashHint(revision: string): string[] {
  return revision.length === 64
    ? [
      "Use a repository with SHA-1 commits: this one has SHA-256 commits, which Nix may not support (2.8 does not).",
    ]
    : [];
}

function hintFor({ reason }: BuildFailure): string | undefined {
  switch (reason) {
    case "disk-full":
      return "Free some space: `nix-collect-garbage --delete-older-than 30d`. The next run tries again.";
    case "network":
      return "Check the network: a binary cache or an input of the flake did not answer. The next run tries again.";
    case "daemon":
      return "Check the Nix daemon: `systemctl status nix-daemon`. The next run tries again.";
    case "slow-down":
      return "Set inputs.accessTokensFile: most forges allow more requests with a token. The next runs pause for a while.";
    case "input-denied":
      return "Check that the credentials for the flake's inputs are set and have not expired: inputs.sshKeys, inputs.netrcFile, inputs.accessTokensFile. The next run tries again.";
    case "hash-mismatch":
      return "If the file changed on purpose, write its new hash and push. If a proxy or a login page answered instead, the next run tries again.";
    case "download-failed":
      return "Read the lines above: the file may be gone, or the server may be down. The next run tries again.";
    case "out-of-memory":
      return "Add memory or swap, or build on another machine. The next run tries again.";
    case "builder-timed-out":
      return "Raise timeout or max-silent-time in nix.conf, or build on another machine. The next run tries again.";
    case "builder-killed":
      return "Find out what stopped the builder: `journalctl -k`. The next run tries again.";
    case "no-builder":
      return "Check max-jobs, builders, system-features and extra-platforms in nix.conf, and that the binary caches answer. The next run tries again.";
    case "system":
      return "Check the disk and the limit of open files: `journalctl -k`, `ulimit -n`. The next run tries again.";
    case "unknown":
      return "Read the whole log: `gitops-sync logs`. The cause is not known, so the next run tries again.";
    case "input-unavailable":
      return "Check each URL in flake.nix and .gitmodules, and that this host may read it. Git fetches over https, http and ssh only. A submodule cannot be on this host, unless the repository itself is.";
    case "host-missing":
      return "Set `host` (or `--host`) to one of the flake's nixosConfigurations.";
    case "flake-missing":
      return "Set `directory` (or `--directory`) to the folder of flake.nix.";
    case "lock-outdated":
      return "Run `nix flake lock`, commit flake.lock and push.";
    default:
      return undefined;
  }
}
