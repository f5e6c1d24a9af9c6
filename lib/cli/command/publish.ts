/**
 * `gitops-sync publish`: builds the hosts of a flake once, into a cache.
 *
 * @module
 */
import { resolve } from "@std/path";
import {
  type ExitCode,
  exitCodes,
  type SyncError,
  usageError,
} from "../../base/errors.ts";
import type { Effects } from "../../base/effects.ts";
import { count, short } from "../../base/text.ts";
import { loadLocalConfig, type LocalConfig } from "../../config/config.ts";
import { ref as refKind } from "../../config/kinds.ts";
import { Cache, readCacheKey } from "../../publish/cache.ts";
import { CommitKey } from "../../publish/commit_key.ts";
import { defaultJobs } from "../../publish/jobs.ts";
import { fileNames } from "../../publish/pattern.ts";
import type { Place } from "../../publish/place.ts";
import {
  type HostOutcome,
  type Outcome,
  publish,
} from "../../publish/publish.ts";
import { remoteFor } from "../../publish/remote.ts";
import { type Source, sourceAt } from "../../publish/source.ts";
import { ToBranch } from "../../publish/to_branch.ts";
import { ToFolder } from "../../publish/to_folder.ts";
import { realEffects } from "../output/effects.ts";
import { errorJson, printJson } from "../output/json.ts";
import { print, printRaw } from "../output/print.ts";
import { table } from "../output/table.ts";
import type { Call } from "../call.ts";

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  using effects = await realEffects(call.verbose);
  refuseBadWords(call);
  // No default file is read: it is about one host, and does not apply to
  // others.
  const config = await loadLocalConfig(call.configPath, call.given);
  const made = await Deno.makeTempDir({ prefix: "gitops-sync-publish-" });
  const folder = await Deno.realPath(made);
  try {
    const source = await sourceAt(effects, call.operands[0] ?? ".");
    const { texts, switches } = call;
    const cacheKey = texts["cache-key"];
    const key = cacheKey === undefined
      ? undefined
      : await readCacheKey(cacheKey);
    const cache = new Cache(effects, config, texts["cache"]!, key);
    const place = await placeFor(call, effects, config, source, folder);
    const outcome = await publish(effects, config, {
      source,
      cache,
      place,
      hosts: texts["hosts"],
      jobs: jobsOf(texts["jobs"]),
      allOrNothing: switches.has("all-or-nothing"),
      dryRun: switches.has("dry-run"),
      folder,
    });
    return tell(call, effects, source, { cache, place }, outcome);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function refuseBadWords({ texts }: Call): void {
  if (texts["cache"] === undefined) {
    throw usageError(
      "cache-missing",
      "Cannot publish without a cache: expected --cache URL",
      "Name a store that `nix copy --to` accepts: file:///srv/cache, s3://bucket?region=eu-west-1, ssh-ng://cache.example.org.",
    );
  }
  const isOne = (texts["branch"] === undefined) !==
    (texts["folder"] === undefined);
  if (!isOne) {
    throw usageError(
      "place-missing",
      "Cannot publish: expected either --branch NAME or --folder FOLDER",
      "Type, for example, `--branch deploy`. The hosts then follow the branch deploy (ref: deploy).",
    );
  }
  if (texts["folder"] !== undefined && texts["commit-key"] !== undefined) {
    throw usageError(
      "commit-key",
      "Cannot use --commit-key with --folder: expected --branch, because a folder has no commits",
    );
  }
}

async function placeFor(
  { texts }: Call,
  effects: Effects,
  config: LocalConfig,
  source: Source,
  folder: string,
): Promise<Place> {
  const { branch, folder: target, "commit-key": file } = texts;
  const pattern = config["build.prebuilt"];
  const names = fileNames(pattern, source.revision, branch !== undefined);
  if (branch === undefined) return new ToFolder(resolve(target!), names);
  const key = file === undefined
    ? undefined
    : await CommitKey.read(effects, config, file, folder);
  return await ToBranch.make(
    effects,
    await remoteFor(effects, config, source, folder),
    source,
    { name: branchName(branch), names, key, folder },
  );
}

function branchName(given: string): string {
  const name = given.replace(/^refs\/heads\//, "");
  const isName = refKind.read(name) !== undefined && !/^refs\/|:/.test(name);
  if (isName) return name;
  throw usageError(
    "branch-name",
    `Cannot write to the branch ${given}: expected a name such as deploy`,
  );
}

function jobsOf(given: string | undefined): number {
  if (given === undefined) return defaultJobs();
  const jobs = /^[1-9]\d{0,3}$/.test(given) ? Number(given) : undefined;
  if (jobs !== undefined) return jobs;
  throw usageError(
    "jobs",
    `Cannot use "${given}" for --jobs: expected a whole number from 1`,
  );
}

/** The cache and the place of the results. */
interface Where {
  cache: Cache;
  place: Place;
}

function tell(
  call: Call,
  effects: Effects,
  source: Source,
  where: Where,
  outcome: Outcome,
): ExitCode {
  const exit = exitOf(outcome);
  if (call.json) tellJson(exit, source, where, outcome);
  else tellPeople(source, where, outcome);
  for (const { error } of outcome.hosts) if (error) tellError(effects, error);
  return exit;
}

/**
 * Returns the exit code. It has a separate code if only secrets failed, because
 * they have a different fix.
 */
function exitOf({ hosts }: Outcome): ExitCode {
  const failed = hosts.filter(({ error }) => error);
  if (failed.length === 0) return exitCodes.ok;
  return failed.every(({ error }) => error!.stage === "secrets")
    ? exitCodes.secrets
    : exitCodes.build;
}

function tellError(
  effects: Effects,
  { message: text, details, hints }: SyncError,
): void {
  effects.tell({ kind: "message", level: "error", text, details, hints });
}

function tellPeople(
  { revision }: Source,
  { place }: Where,
  { result, commit, hosts, removed }: Outcome,
): void {
  if (hosts.length > 0) {
    printRaw(table(hosts.map((one) => [one.host, stateOf(one)])));
  }
  for (const host of removed) print(`${host} is no longer in the flake`);
  const at = commit === undefined ? "" : ` (${short(commit)})`;
  const failed = hosts.filter(({ error }) => error).length;
  const but = failed > 0
    ? `, without ${count(failed, "host")} that failed`
    : "";
  const ours = short(revision);
  const says: Readonly<Record<Outcome["result"], string>> = {
    "published": `Published ${ours} to ${place.shown}${at}${but}`,
    "unchanged": `Nothing changed in ${place.shown}${at}${but}`,
    "older":
      `Nothing was written: ${place.shown} has a later commit than ${ours}`,
    "not-published": `Nothing was written to ${place.shown}: ${
      count(failed, "host")
    } of ${hosts.length} failed`,
    "would-publish": `This was a dry run: nothing was built or written`,
  };
  print(says[result]);
}

function stateOf({ result, system, before }: HostOutcome): string {
  if (result === "failed") {
    return before === undefined ? "failed" : "failed, not updated";
  }
  if (before === system) return "unchanged";
  return before === undefined ? "new" : "changed";
}

function tellJson(
  exit: ExitCode,
  { revision, subject }: Source,
  { cache, place }: Where,
  { result, commit, hosts, removed }: Outcome,
): void {
  printJson("publish", exit, {
    result,
    revision,
    subject,
    cache: cache.shown,
    place: place.shown,
    commit: commit ?? null,
    hosts: hosts.map(({ host, result, system, platform, before, error }) => ({
      host,
      result,
      system: system ?? null,
      platform: platform ?? null,
      before: before ?? null,
      ...error ? { error: errorJson(error) } : {},
    })),
    removed,
  });
}
