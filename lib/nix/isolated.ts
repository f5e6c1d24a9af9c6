/**
 * Evaluates and builds a revision in isolation from the host, in three steps.
 * None of them has all the power of the others:
 *
 * 1. Inputs that need a credential are fetched with it, by a fixed expression.
 * 2. The Nix daemon evaluates and builds the flake for an unprivileged user,
 *    who sees no file and no credential of the host.
 * 3. Root protects the resulting store path. Root also builds it if the
 *    configuration has options that the daemon only accepts from root.
 *
 * @module
 */
import { ensureDir } from "@std/fs";
import type { Command, Finished } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { lastWords, short } from "../base/text.ts";
import type { Run } from "../run/run.ts";
import {
  credentialOptions,
  isCredential,
  publicOptions,
  trustedOptions,
} from "./arguments.ts";
import { useUnit } from "./evaluation_unit.ts";
import {
  credentialsHere,
  fetchable,
  type Fetching,
  fetchInputs,
  needsCredential,
  type Unfetched,
} from "./inputs.ts";
import { fetchConfined } from "./inputs_unit.ts";
import { judge, pathIn } from "./isolated_end.ts";
import type { Route } from "./isolation.ts";
import type { Input } from "./lock_file.ts";
import {
  buildCommand,
  type BuildRequest,
  drvCommand,
  flakeReference,
} from "./nixos_rebuild.ts";
import { addRoot, realise } from "./store.ts";

/** Runs programs as the evaluation of one revision. */
export interface Evaluator {
  /** The inputs that could not be fetched, to explain a later failure. */
  unfetched: readonly Unfetched[];
  /** How the step before failed, if it did. */
  failed?: Finished;
  /** Runs a program with the folder and the variables of the unit. */
  run(command: Command): Promise<Finished>;
}

/**
 * Fetches what needs a credential, and returns the evaluator that has none.
 *
 * @param inputs What the lock file of the revision names.
 */
export async function evaluatorFor(
  run: Run,
  route: Route,
  inputs: readonly Input[],
  request: BuildRequest,
): Promise<Evaluator> {
  const { config, effects } = run;
  const fetching = fetchingFor(run, route, request);
  const unfetched = await fetchWithCredentials(run, inputs, fetching);
  const cache = config.submodules
    ? await fetchSubmodules(run, route, request, fetching)
    : undefined;
  return {
    unfetched,
    ...cache?.failed && { failed: cache.failed },
    run: async ({ program, args, timeout, onLine }) => {
      const start = effects.monotonic();
      const used = await useUnit(effects, config, route, [program, ...args], {
        state: run.folder,
        mirror: request.mirror,
        ...cache && { cache: cache.folder },
        seconds: Math.ceil(timeout / 1000),
        ...onLine && { onLine },
      });
      const isOver = effects.monotonic() - start >= timeout;
      return await judge(run, route, short(request.revision), used, isOver);
    },
  };
}

/**
 * Builds the request, and creates the link `result` in its folder as
 * `nixos-rebuild build` does.
 *
 * @returns how the failed step ended, or the last one.
 * @throws {SyncError} stage `build`, if the cause is not in Nix's log.
 */
export async function buildIsolated(
  run: Run,
  evaluator: Evaluator,
  request: BuildRequest,
): Promise<Finished> {
  if (evaluator.failed) return evaluator.failed;
  const options = run.config["build.options"];
  const trusted = trustedOptions(options);
  const asked: BuildRequest = {
    ...request,
    nix: request.nix.filter(([name]) => !isCredential(name)),
    options: publicOptions(options),
  };
  const ended = await evaluator.run(
    trusted ? drvCommand(asked) : buildCommand(asked),
  );
  if (ended.code !== 0 || ended.timedOut) {
    whyUnfetched(evaluator.unfetched).forEach(request.onLine);
    return ended;
  }
  const revision = short(request.revision);
  const path = pathIn(ended, revision, trusted ? "derivation" : "output");
  return await keep(run, request, path, trusted);
}

function fetchingFor(
  run: Run,
  route: Route,
  request: BuildRequest,
): Fetching {
  const { config, remote } = run;
  const server = /^https?:\/\/(?:[^/]*@)?([^/]+)/.exec(remote.repository)?.[1];
  return {
    env: request.env,
    options: [
      ...request.nix.flatMap(([name, value]) => ["--option", name, value]),
      ...credentialOptions(config["build.options"]),
    ],
    ...remote.tokenFile === undefined ? {} : { server },
    folder: `${run.folder}/evaluation`,
    timeout: request.timeout,
    onLine: request.onLine,
    runDeep: (command) => fetchConfined(run, route, command),
  };
}

/** Step 1. If step 2 has no network, every input is fetched here. */
async function fetchWithCredentials(
  { effects, config }: Run,
  inputs: readonly Input[],
  fetching: Fetching,
): Promise<Unfetched[]> {
  const trees = inputs.flatMap((input) => {
    const tree = fetchable(input.locked);
    return tree ? [{ input, tree }] : [];
  });
  if (trees.length === 0) return [];
  const needed = config["build.network"]
    ? await credentialsHere(effects, fetching)
    : { servers: ["*"] };
  const wanted = trees.filter(({ tree }) => needsCredential(tree, needed));
  return await fetchInputs(effects, wanted.map(({ input }) => input), {
    ...fetching,
    // These lines are not part of the build log.
    onLine: () => {},
  });
}

/**
 * Lets Nix fetch the submodules into a separate cache, and the evaluation gets
 * a copy of it. The lock file has no hash by which it could find them.
 *
 * If the repository is on this host, its submodules may be on it too, so they
 * are fetched without isolation.
 */
async function fetchSubmodules(
  run: Run,
  route: Route,
  request: BuildRequest,
  { env, options, folder, onLine }: Fetching,
): Promise<{ folder: string; failed?: Finished }> {
  const cache = `${folder}/cache`;
  await Deno.remove(cache, { recursive: true }).catch(() => {});
  await ensureDir(cache);
  const isLocal = run.remote.repository.startsWith("file://");
  const command: Command = {
    program: "nix",
    args: [
      ...["--extra-experimental-features", "nix-command flakes"],
      ...["flake", "prefetch", "--json", "--log-format", "internal-json"],
      ...["--option", "flake-registry", ""],
      ...options,
      flakeReference({ ...request, directory: "" }),
    ],
    cwd: request.folder,
    env: { ...env, XDG_CACHE_HOME: cache },
    timeout: request.timeout,
    onLine,
  };
  const { mirror } = request;
  const finished = isLocal
    ? await run.effects.run(command)
    : await fetchConfined(run, route, command, { mirror, cache });
  const isGood = finished.code === 0 && !finished.timedOut;
  return { folder: cache, ...isGood ? {} : { failed: finished } };
}

/** Returns why inputs were missing, if the evaluation needed them. */
function whyUnfetched(unfetched: readonly Unfetched[]): string[] {
  return unfetched.flatMap(({ name, failure }) => [
    `error: cannot fetch the input ${name} with the credentials of this host: ${failure.summary}`,
    ...failure.details.slice(-5),
  ]);
}

/** Step 3. */
async function keep(
  { effects }: Run,
  { folder, timeout, onLine }: BuildRequest,
  path: string,
  trusted: readonly string[] | undefined,
): Promise<Finished> {
  const link = `${folder}/result`;
  if (trusted) {
    return await effects.run(
      realise(link, path, { options: trusted, timeout, onLine }),
    );
  }
  const finished = await effects.run(addRoot(link, path));
  if (finished.code === 0) return finished;
  throw new SyncError(
    `Cannot protect ${path} from garbage collection after the build`,
    {
      stage: "build",
      reason: "build-lost",
      next: "retry",
      details: lastWords(finished),
      hints: [
        "Check whether garbage was collected during the build. The next run tries again.",
      ],
    },
  );
}
