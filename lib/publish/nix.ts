/**
 * Lists, evaluates and builds the hosts of a commit with Nix, as the user who
 * publishes, because the checkout is theirs.
 *
 * @module
 */
import type { Command, Effects, Finished } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { isStorePath } from "../base/names.ts";
import type { LocalConfig } from "../config/config.ts";
import type { BuildFailure } from "../nix/failure.ts";
import { NixLog } from "../nix/log.ts";
import { flakeReference } from "../nix/nixos_rebuild.ts";
import { isOffline, realise } from "../nix/store.ts";
import type { Source } from "./source.ts";

/** What each query needs. */
export interface Asking {
  effects: Effects;
  config: LocalConfig;
  source: Source;
}

/** An evaluated host. */
export interface Evaluated {
  /** The derivation that builds it. */
  drv: string;
  /** The store path of its system. */
  system: string;
  /** E.g. `x86_64-linux`. */
  platform: string;
}

/** Reads a system without building it. */
const readSystem =
  "top: { drv = builtins.unsafeDiscardStringContext top.drvPath; system = builtins.unsafeDiscardStringContext top.outPath; platform = top.system; }";

/**
 * Returns the names in `nixosConfigurations`. No host is evaluated.
 *
 * @throws {SyncError} stage `build`, with Nix's reason.
 */
export async function hostNames(asking: Asking): Promise<string[]> {
  const names = await evaluate(
    asking,
    "the hosts of the flake",
    "nixosConfigurations",
    "builtins.attrNames",
  );
  const isList = Array.isArray(names) &&
    names.every((name) => typeof name === "string");
  if (isList) return names;
  throw notUnderstood("the hosts of the flake");
}

/**
 * Evaluates one host in its own process: its memory is freed afterwards, and an
 * error in one host stops no other.
 *
 * @throws {SyncError} stage `build`, with Nix's reason.
 */
export async function evaluateHost(
  asking: Asking,
  host: string,
): Promise<Evaluated> {
  const read = await evaluate(
    asking,
    host,
    `nixosConfigurations."${host}".config.system.build.toplevel`,
    readSystem,
  ) as Partial<Evaluated> | null;
  const { drv = "", system = "", platform = "" } = read ?? {};
  if (isStorePath(drv) && isStorePath(system)) return { drv, system, platform };
  throw notUnderstood(host);
}

/**
 * Builds a host, and protects it from garbage collection while the link exists.
 *
 * @throws {SyncError} stage `build`, with Nix's reason.
 */
export async function buildHost(
  { effects, config }: Asking,
  host: string,
  { drv }: Evaluated,
  link: string,
): Promise<void> {
  const log = new NixLog(isOffline);
  const command = realise(link, drv, {
    options: config["build.options"],
    timeout: config["timeouts.build"],
    onLine: (line) => log.line(line),
  });
  const finished = await effects.run(command);
  if (finished.code !== 0) throw nixFailure("build", host, finished, log);
}

async function evaluate(
  asking: Asking,
  what: string,
  attribute: string,
  apply: string,
): Promise<unknown> {
  const log = new NixLog(isOffline);
  const command = evalCommand(asking, attribute, apply);
  const finished = await asking.effects.run({
    ...command,
    onLine: (line) => log.line(line),
  });
  if (finished.code !== 0) throw nixFailure("evaluate", what, finished, log);
  try {
    return JSON.parse(new TextDecoder().decode(finished.stdout));
  } catch {
    throw notUnderstood(what);
  }
}

/** The lock file is used unchanged, as in a sync. */
function evalCommand(
  { config, source }: Asking,
  attribute: string,
  apply: string,
): Command {
  // Nix 2.8 does not decode URLs.
  const isPlain = /^[\w./~+-]+$/.test(source.top);
  const reference = flakeReference({
    mirror: isPlain ? source.top : "/proc/self/cwd",
    revision: source.revision,
    directory: source.directory,
    submodules: config.submodules,
    shallow: source.isShallow,
  });
  return {
    program: "nix",
    args: [
      ...["--extra-experimental-features", "nix-command flakes"],
      ...["eval", "--json", "--log-format", "internal-json"],
      ...["--no-update-lock-file", "--show-trace"],
      `${reference}#${attribute}`,
      ...["--apply", apply],
      ...["--option", "accept-flake-config"],
      String(config["nix.acceptFlakeConfig"]),
      ...config["build.options"],
    ],
    cwd: source.top,
    env: {
      // English messages, because failures are identified by them.
      LC_ALL: "C",
      // A container's checkout often belongs to another user.
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "safe.directory",
      GIT_CONFIG_VALUE_0: source.top,
    },
    timeout: config["timeouts.build"],
  };
}

function nixFailure(
  verb: string,
  what: string,
  { timedOut }: Finished,
  log: NixLog,
): SyncError {
  if (timedOut) {
    return new SyncError(
      `Cannot ${verb} ${what}: it took longer than timeouts.build`,
      {
        stage: "build",
        reason: "timed-out",
        next: "stop",
        hints: ["give it more time: --timeouts-build 4h"],
      },
    );
  }
  const failure = log.failure();
  // Nix does not report the cause, but the evaluation failed.
  const isUnclear = verb === "evaluate" && failure.reason === "unknown";
  return new SyncError(`Cannot ${verb} ${what}: ${failure.summary}`, {
    stage: "build",
    reason: isUnclear ? "not-evaluated" : failure.reason,
    next: "stop",
    details: failure.details,
    hints: hintsFor(failure),
  });
}

/** Returns hints for the person who publishes, in addition to Nix's own. */
function hintsFor({ reason, logs = [] }: BuildFailure): string[] {
  const hints: Partial<Record<BuildFailure["reason"], string>> = {
    "no-builder":
      "this machine can't build for that platform: publish those hosts on another machine (--hosts), or add a builder to nix.conf",
    "out-of-memory": "evaluate fewer hosts at once: --jobs 1",
    "lock-outdated": "run nix flake lock, commit flake.lock and push",
    "flake-missing": "give the folder of flake.nix: gitops-sync publish FOLDER",
  };
  const hint = hints[reason];
  return [
    ...hint === undefined ? [] : [hint],
    ...logs.map((drv) => `read the whole log: nix log ${drv}`),
  ];
}

function notUnderstood(what: string): SyncError {
  return new SyncError(
    `Cannot evaluate ${what}: Nix succeeded, but its output does not have the expected format`,
    { stage: "build", reason: "unknown", next: "stop" },
  );
}
