/**
 * Builds the system of a verified revision.
 *
 * @module
 */
import { ensureDir, exists } from "@std/fs";
import { formatDuration } from "../base/duration.ts";
import { SyncError } from "../base/errors.ts";
import { count } from "../base/text.ts";
import type { Config } from "../config/schema.ts";
import { inputEnvironment } from "../git/input_credentials.ts";
import { asEvaluation } from "./failure.ts";
import { failed } from "./build_failure.ts";
import { NixLog } from "./log.ts";
import type { BuildRequest } from "./nixos_rebuild.ts";
import { type Evaluation, evaluation } from "./evaluate.ts";
import { hostNames } from "./host_names.ts";
import type { Run } from "../run/run.ts";
import { isStorePath } from "../base/names.ts";
import { Built, type Readable } from "../run/stages.ts";
import { refuseToFetch } from "./room.ts";
import { isOffline } from "./store.ts";
import { isThrown } from "./thrown.ts";

/**
 * Evaluates and builds the host's system of this revision, or fetches it if it
 * was built elsewhere.
 *
 * @throws {SyncError} exit 6, with the failed derivation and the end of its
 * log. The host is unchanged.
 */
export async function build(run: Run, readable: Readable): Promise<Built> {
  const { config, effects } = run;
  const folder = folderFor(run, readable);
  await ensureDir(folder);
  // Otherwise the result of an earlier build could be taken for this one.
  await removeLink(`${folder}/result`);
  if (config["build.from"] === "cache") {
    const { takePrebuilt } = await import("./prebuilt.ts");
    await takePrebuilt(run, readable, `${folder}/result`);
    const system = await readResult(`${folder}/result`, config.operation);
    return { ...readable, done: "built", system };
  }
  const log = new NixLog(
    isOffline,
    (text) => effects.tell({ kind: "line", stage: "build", text }),
    () => effects.monotonic(),
  );
  effects.tell({ kind: "progress", stage: "build", now: () => log.now() });
  // Nix reports what it will fetch before it starts.
  let toFetch = 0;
  const request = requestFor(run, readable, (line) => {
    log.line(line);
    if (log.unpacked > toFetch) {
      toFetch = log.unpacked;
      refuseToFetch(toFetch, config["preflight.freeSpace"]);
    }
  });
  const evaluating = await evaluation(run, readable, request);
  const finished = await evaluating.build();
  if (finished.timedOut) throw tooSlow(run);
  if (finished.code !== 0) {
    const said = log.failure();
    const failure =
      // A build that was killed would only take as long again.
      said.reason === "unknown" && finished.code < 128 &&
        await isThrown(evaluating, evaluating.request)
        ? asEvaluation(said)
        : said;
    const hosts = failure.reason === "host-missing"
      ? await knownHosts(evaluating)
      : undefined;
    throw failed(failure, readable, config, hosts);
  }
  tellWarnings(run, log.warnings);
  const system = await readResult(`${folder}/result`, config.operation);
  return { ...readable, done: "built", system };
}

/** Returns the hosts of the flake, or `undefined` if Nix does not list them. */
async function knownHosts(
  evaluating: Evaluation,
): Promise<string[] | undefined> {
  try {
    return (await hostNames(evaluating, evaluating.request)).names;
  } catch (error) {
    const isOver = error instanceof SyncError && error.reason !== "interrupted";
    if (!isOver) throw error;
    return undefined;
  }
}

/** Reports what the flake's own code warns of. */
function tellWarnings(
  { effects }: Pick<Run, "effects">,
  warnings: readonly string[],
): void {
  if (warnings.length === 0) return;
  effects.tell({
    kind: "message",
    level: "warning",
    text: `The evaluation printed ${count(warnings.length, "warning")}`,
    details: warnings,
  });
}

/** Nix 2.8 does not decode URLs. */
const isPlain = ({ mirror }: Readable) => /^[\w./~+-]+$/.test(mirror);

/**
 * Returns the folder in which Nix works. If the path of the mirror cannot be
 * part of a URL, it is a folder from which every mirror has the same path.
 */
function folderFor(run: Run, readable: Readable): string {
  return isPlain(readable) ? `${run.folder}/build` : run.folder;
}

/**
 * Returns the request for the host's system of a revision.
 *
 * @param onLine Called with each line of Nix's log.
 */
export function requestFor(
  run: Run,
  readable: Readable,
  onLine: (line: string) => void,
): BuildRequest {
  const { config } = run;
  return {
    mirror: isPlain(readable) ? readable.mirror : "/proc/self/cwd/repo",
    revision: readable.commit.revision,
    directory: config.directory,
    host: config.host,
    submodules: config.submodules,
    shallow: config.shallow && !config.submodules,
    options: config["build.options"],
    folder: folderFor(run, readable),
    timeout: config["timeouts.build"],
    refresh: failedBefore(run, readable.commit.revision),
    nix: nixOptions(config),
    env: inputEnvironment(config, [
      ["safe.directory", readable.mirror],
      ...protocolsOfInputs(run.remote),
    ]),
    onLine,
  };
}

/**
 * Returns whether this revision failed to build last time. Nix may then keep a
 * broken download, and with it the failure, for an hour (nix.conf(5),
 * `tarball-ttl`).
 */
function failedBefore({ state }: Run, revision: string): boolean {
  const { last, backoff } = state;
  return backoff?.revision === revision ||
    last?.revision === revision && last.stage === "build";
}

/**
 * Returns the protocols that Git may use for what Nix fetches: those of flake
 * inputs. A submodule, which the repository names, may not be a file of this
 * host (git-config(1), `protocol.allow`: "user"), unless the repository is one
 * itself.
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

/**
 * Returns the settings that the flake may not change, whatever nix.conf says.
 */
function nixOptions(config: Config): (readonly [string, string])[] {
  return [
    ["accept-flake-config", String(config["nix.acceptFlakeConfig"])],
    // Only this direction: a host whose nix.conf forbids it stays so.
    ...config["nix.importFromDerivation"]
      ? []
      : [["allow-import-from-derivation", "false"] as const],
  ];
}

async function removeLink(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/**
 * @throws {SyncError} `not-a-system`, or `no-result` if the link is missing: no
 * revision can make a build end like this.
 */
async function readResult(link: string, operation: string): Promise<string> {
  if (!await isLink(link)) throw noResult(link);
  const system = await Deno.realPath(link).catch(() => "");
  const isSystem = isStorePath(system) &&
    // It may be a file instead of a folder.
    await exists(`${system}/bin/switch-to-configuration`).catch(() => false);
  if (isStorePath(system) && (isSystem || operation === "build")) return system;
  throw new SyncError(
    `Cannot use the build: ${system || link} is not a NixOS system`,
    {
      stage: "build",
      reason: "not-a-system",
      next: "hold",
      hints: [
        "Define nixosConfigurations.HOST with nixpkgs.lib.nixosSystem, and keep its boot loader and `system.switch` enabled.",
      ],
    },
  );
}

async function isLink(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

function noResult(link: string): SyncError {
  return new SyncError(
    `Cannot use the build: it ended without an error, but ${link} is missing`,
    {
      stage: "build",
      reason: "no-result",
      next: "retry",
      hints: [
        "Check which nixos-rebuild is on PATH: `command -v nixos-rebuild`.",
      ],
    },
  );
}

function tooSlow(run: Run): SyncError {
  const limit = formatDuration(run.config["timeouts.build"]);
  return new SyncError(
    `Cannot build: it took longer than timeouts.build (${limit})`,
    {
      stage: "build",
      reason: "timed-out",
      next: "retry",
      hints: [
        "Raise timeouts.build, or build on another machine. The next run tries again.",
      ],
    },
  );
}
