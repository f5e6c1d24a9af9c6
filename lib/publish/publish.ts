/**
 * Builds the hosts of a flake once: evaluates and builds each host, copies it
 * to a cache, and at the end writes the store paths.
 *
 * @module
 */
import { type Effects, say } from "../base/effects.ts";
import { formatDuration } from "../base/duration.ts";
import { SyncError, usageError } from "../base/errors.ts";
import { count, short } from "../base/text.ts";
import type { LocalConfig } from "../config/config.ts";
import type { Cache } from "./cache.ts";
import {
  type Asking,
  buildHost,
  type Evaluated,
  evaluateHost,
  hostNames,
} from "./nix.ts";
import { inParallel } from "./parallel.ts";
import { chosenHosts, isHostName } from "./pattern.ts";
import type { Place, Written } from "./place.ts";
import { secretProblems } from "./secrets.ts";
import type { Source } from "./source.ts";

/** The request. */
export interface PublishRequest {
  source: Source;
  cache: Cache;
  place: Place;
  /** Which hosts. `undefined` means all. */
  hosts: string | undefined;
  /** How many hosts are processed at once. */
  jobs: number;
  /** Whether nothing is written if a host fails. */
  allOrNothing: boolean;
  /** Whether hosts are only evaluated, not built, copied or written. */
  dryRun: boolean;
  /** A private folder for temporary files. */
  folder: string;
}

/** The result of a host. */
export interface HostOutcome {
  host: string;
  /** `cached`: the cache already had its closure; `evaluated`: in a dry run. */
  result: "built" | "cached" | "evaluated" | "failed";
  /** The store path of the new system, if it is known. */
  system?: string;
  platform?: string;
  /** The current system of the host in the place. */
  before?: string;
  error?: SyncError;
}

/** The result of all hosts. */
export interface Outcome {
  /** `not-published`: nothing was written, because hosts failed. */
  result: Written["result"] | "not-published" | "would-publish";
  commit?: string;
  hosts: HostOutcome[];
  removed: readonly string[];
}

/**
 * Publishes the hosts. Writing is the last step: before it, and if it fails,
 * hosts find what was there before.
 *
 * @throws {SyncError} if a problem concerns all hosts. Problems of one host are
 * in the outcome.
 */
export async function publish(
  effects: Effects,
  config: LocalConfig,
  wish: PublishRequest,
): Promise<Outcome> {
  const { source, place } = wish;
  const asking = { effects, config, source };
  const all = await hostNames(asking);
  if (all.length === 0) throw noHosts();
  const chosen = chosenHosts(all, wish.hosts);
  const before = await place.read(all);
  if (before === "older") return { result: "older", hosts: [], removed: [] };
  const problems = config["secrets.check"]
    ? await secretProblems(effects, config, source.top)
    : new Map<string, SyncError>();
  const hosts = await eachHost(asking, wish, chosen, { before, problems });
  if (wish.dryRun) return { result: "would-publish", hosts, removed: [] };
  const failed = hosts.filter(({ error }) => error);
  const isNothing = failed.length === hosts.length ||
    wish.allOrNothing && failed.length > 0;
  if (isNothing) return { result: "not-published", hosts, removed: [] };
  const written = await place.write({
    systems: new Map(
      hosts.flatMap(({ host, system, error }) =>
        error || system === undefined ? [] : [[host, system]]
      ),
    ),
    hosts: all,
    failed: new Map(failed.map(({ host, error }) => [host, error!.reason])),
  });
  return { ...written, hosts };
}

/** What is known before the evaluation. */
interface Known {
  before: ReadonlyMap<string, string>;
  problems: ReadonlyMap<string, SyncError>;
}

async function eachHost(
  asking: Asking,
  wish: PublishRequest,
  chosen: readonly string[],
  known: Known,
): Promise<HostOutcome[]> {
  const { effects, source } = asking;
  const start = effects.monotonic();
  let done = 0;
  const working = new Set<string>();
  effects.tell({ kind: "start", stage: "build" });
  const now = () => ({
    text: `${done} of ${count(chosen.length, "host")}${
      working.size > 0 ? ` · ${[...working].slice(0, 5).join(", ")}` : ""
    }`,
  });
  effects.tell({ kind: "progress", stage: "build", now });
  const outcomes = await inParallel(chosen, wish.jobs, async (host) => {
    working.add(host);
    const began = effects.monotonic();
    const outcome = await oneHost(asking, wish, host, known);
    working.delete(host);
    const took = formatDuration(effects.monotonic() - began);
    say(
      effects,
      outcome.error ? "warning" : "info",
      `${++done} of ${chosen.length}: ${host}: ${wordsOf(outcome)} (${took})`,
    );
    return outcome;
  });
  const failed = outcomes.filter(({ error }) => error).length;
  const ms = effects.monotonic() - start;
  const text = `${count(chosen.length, "host")} of ${short(source.revision)}${
    failed > 0 ? `, ${failed} failed` : ""
  }`;
  effects.tell({ kind: "done", stage: "build", text, ms });
  return outcomes;
}

function wordsOf({ result, error, system = "" }: HostOutcome): string {
  if (error) return error.message;
  return `${result === "cached" ? "already in the cache" : result}, ${system}`;
}

async function oneHost(
  asking: Asking,
  wish: PublishRequest,
  host: string,
  { before, problems }: Known,
): Promise<HostOutcome> {
  const was = before.get(host);
  const outcome: HostOutcome = {
    host,
    result: "failed",
    ...was === undefined ? {} : { before: was },
  };
  try {
    if (!isHostName(host)) throw badName(host);
    const evaluated = await evaluateHost(asking, host);
    const { system, platform } = evaluated;
    Object.assign(outcome, { system, platform });
    const problem = problems.get(host);
    if (problem) throw problem;
    outcome.result = await inCache(asking, wish, host, evaluated);
    return outcome;
  } catch (error) {
    // An interruption or a missing program is not about one host.
    const isOfHost = error instanceof SyncError &&
      ["build", "secrets"].includes(error.stage);
    if (!isOfHost) throw error;
    return { ...outcome, result: "failed", error };
  }
}

async function inCache(
  asking: Asking,
  { cache, dryRun, folder }: PublishRequest,
  host: string,
  evaluated: Evaluated,
): Promise<HostOutcome["result"]> {
  if (dryRun) return "evaluated";
  const { system } = evaluated;
  if (await cache.lacks(system) === undefined) return "cached";
  await buildHost(asking, host, evaluated, `${folder}/system-${host}`);
  await cache.add(system, host);
  return "built";
}

function badName(host: string): SyncError {
  return new SyncError(
    `Cannot publish ${
      JSON.stringify(host)
    }: expected a name of letters, digits, _ - and .`,
    { stage: "build", reason: "host-name", next: "stop" },
  );
}

function noHosts(): SyncError {
  return usageError(
    "no-hosts",
    "Cannot publish: the flake has no nixosConfigurations",
    "give the folder of the flake that has them: gitops-sync publish FOLDER",
  );
}
