/**
 * Turns a verified revision into a system in the store.
 *
 * @module
 */
import { ensureDir, exists } from "@std/fs";
import { formatDuration } from "../base/duration.ts";
import { SyncError } from "../base/errors.ts";
import { short } from "../base/text.ts";
import type { Config } from "../config/schema.ts";
import { gitEnvironment } from "../git/git.ts";
import type { BuildFailure } from "./failure.ts";
import { NixLog } from "./log.ts";
import { buildCommand } from "./nixos_rebuild.ts";
import type { Run } from "../run/run.ts";
import { isStorePath } from "../base/names.ts";
import { Built, type Readable } from "../run/stages.ts";
import { refuseToFetch } from "./room.ts";

/**
 * Evaluates and builds the host's system of this revision, or takes it as it
 * was built elsewhere.
 *
 * @throws {SyncError} exit 6, with the failing derivation and the end of its
 * log; the host is as it was.
 */
export async function build(run: Run, readable: Readable): Promise<Built> {
  const { config, effects } = run;
  const folder = `${run.folder}/build`;
  await ensureDir(folder);
  if (config["build.from"] === "cache") {
    const { takePrebuilt } = await import("./prebuilt.ts");
    await takePrebuilt(run, readable, `${folder}/result`);
    const system = await readResult(`${folder}/result`, config.operation);
    return { ...readable, done: "built", system };
  }
  const log = new NixLog();
  // Nix tells what it will fetch before it does.
  let toFetch = 0;
  const finished = await effects.run(buildCommand({
    mirror: readable.mirror,
    revision: readable.commit.revision,
    directory: config.directory,
    host: config.host,
    submodules: config.submodules,
    shallow: config.shallow && !config.submodules,
    options: config["build.options"],
    folder,
    timeout: config["timeouts.build"],
    nix: nixOptions(config),
    env: gitEnvironment(config, [
      ["safe.directory", readable.mirror],
      ...protocolsOfInputs(config),
    ]),
    onLine: (line) => {
      log.line(line);
      if (log.unpacked > toFetch) {
        toFetch = log.unpacked;
        refuseToFetch(toFetch, config["preflight.freeSpace"]);
      }
      effects.tell({ kind: "progress", stage: "build", text: log.progress() });
    },
  }));
  if (finished.timedOut) throw tooSlow(run);
  if (finished.code !== 0) throw failed(log.failure(), readable, config);
  const system = await readResult(`${folder}/result`, config.operation);
  return { ...readable, done: "built", system };
}

/**
 * Which protocols Git may use for what Nix fetches: those of the inputs of a
 * flake, and no files of this host for submodules, which the repository names
 * (git-config(1), `protocol.allow`: "user"), unless it is one of them.
 */
function protocolsOfInputs(
  { repository }: Config,
): (readonly [string, string])[] {
  const isLocal = repository.startsWith("file://");
  return [
    ["protocol.http.allow", "always"],
    ["protocol.file.allow", isLocal ? "always" : "user"],
  ];
}

/** What the flake may not decide by itself, whatever nix.conf says. */
function nixOptions(config: Config): (readonly [string, string])[] {
  return [
    ["accept-flake-config", String(config["nix.acceptFlakeConfig"])],
    // Not the other way round: a host whose nix.conf forbids it stays so.
    ...config["nix.importFromDerivation"]
      ? []
      : [["allow-import-from-derivation", "false"] as const],
  ];
}

async function readResult(link: string, operation: string): Promise<string> {
  const system = await Deno.realPath(link).catch(() => "");
  const isSystem = isStorePath(system) &&
    await exists(`${system}/bin/switch-to-configuration`);
  if (isStorePath(system) && (isSystem || operation === "build")) return system;
  throw new SyncError(
    `Cannot use the build: ${system || link} is not a NixOS system`,
    {
      stage: "build",
      reason: "not-a-system",
      next: "hold",
      hints: [
        "nixosConfigurations.HOST must be made by nixpkgs.lib.nixosSystem, with its bootloader and switch enabled",
      ],
    },
  );
}

function failed(said: BuildFailure, { commit }: Readable, config: Config) {
  const failure = withoutFolder(said, config);
  return new SyncError(
    `Cannot build ${short(commit.revision)}: ${failure.summary}`,
    {
      stage: "build",
      reason: failure.reason,
      next: failure.transient ? "retry" : "hold",
      details: failure.details,
      hints: [...hintsFor(failure), ...hashHint(commit.revision)],
    },
  );
}

/** Nix 2.8 says of a folder of the flake that is missing only that it is. */
function withoutFolder(failure: BuildFailure, { directory }: Config) {
  const missing = /^getting status of '([^']+)': No such file or directory$/
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

function tooSlow(run: Run): SyncError {
  return new SyncError("Cannot build: it took longer than timeouts.build", {
    stage: "build",
    reason: "timed-out",
    next: "retry",
    hints: [
      `raise timeouts.build (now ${
        formatDuration(run.config["timeouts.build"])
      }), or let a cache or another machine build`,
    ],
  });
}
