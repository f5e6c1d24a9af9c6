/**
 * Defines the unit in which a revision is evaluated.
 *
 * @module
 */
import { ensureDir } from "@std/fs";
import type { Command, Effects, Finished } from "../base/effects.ts";
import type { Config } from "../config/schema.ts";
import {
  confinedEnd,
  type Confinement,
  foldersOf,
  isOfSystemdRun,
  ownService,
  runConfined,
} from "../host/confined_unit.ts";
import { runInNamespaces } from "../host/confined_namespaces.ts";
import { stopUnits, type UnitEnd } from "../host/systemd.ts";
import { authorityFile, gitEnvironment } from "../git/git.ts";
import { isOverLimit, memoryFor } from "./memory.ts";
import { evaluationUser, type Route, unitIn } from "./isolation.ts";
import {
  elsewhere,
  makeReadable,
  mirrorFor,
  publicFiles,
  publicVariables,
  settingsOfNix,
} from "./shown_files.ts";

/** Fixed, so that a unit that was left behind is found. */
export const evaluationUnit = "gitops-sync-evaluate";

/** The parameters of one use of the unit. */
export interface Use {
  /** The state folder. */
  state: string;
  /** The mirror; missing if no revision is read. */
  mirror?: string;
  /** A folder; its content is copied to the cache of the unit. */
  cache?: string;
  seconds: number;
  onLine?: (line: string) => void;
}

/** How a use of the unit ended. */
export interface Used extends Finished {
  /** How the unit ended; `undefined` if systemd started none. */
  end: UnitEnd | undefined;
}

/**
 * Copies the prepared cache, then runs the given words, and prints where the
 * link `result` leads if they made one.
 */
const script = 'if [ -n "${GITOPS_SYNC_CACHE-}" ]; then ' +
  'cp -r "$GITOPS_SYNC_CACHE/." "$XDG_CACHE_HOME/" || exit; fi; ' +
  '"$@" || exit; if [ -L result ]; then readlink result; fi';

/**
 * Runs words in the unit, or in namespaces without systemd, and waits for them.
 * Nothing of it runs afterwards.
 */
export async function useUnit(
  effects: Effects,
  config: Config,
  route: Route,
  argv: readonly string[],
  use: Use,
): Promise<Used> {
  const confinement = await confine(config, use);
  const words = ["/bin/sh", "-c", script, "evaluation", ...argv];
  const env = environment(use);
  return await runRouted(effects, route, words, env, confinement, use.onLine);
}

/**
 * Runs words in a confinement, in the way that this host supports.
 *
 * @param env All their environment variables.
 */
export async function runRouted(
  effects: Effects,
  { how, ids }: Route,
  words: readonly string[],
  env: Readonly<Record<string, string>>,
  confinement: Confinement,
  onLine?: (line: string) => void,
): Promise<Used> {
  const told = {
    most: 64 * 1024,
    ...onLine && {
      onLine: (line: string) => isOfSystemdRun(line) ? undefined : onLine(line),
    },
  };
  if (how === "unit") {
    const command = runConfined(words, env, confinement);
    return await inUnit(effects, confinement.unit, { ...command, ...told });
  }
  const command = runInNamespaces(words, env, ids, confinement);
  return await inNamespaces(effects, { ...command, ...told });
}

/** Runs a command in namespaces and reports its end in the words of systemd. */
async function inNamespaces(effects: Effects, command: Command): Promise<Used> {
  try {
    const finished = await effects.run(command);
    const { code, timedOut } = finished;
    const result = timedOut ? "timeout" : code === 0 ? "success" : "exit-code";
    return { ...finished, end: { result, code } };
  } catch (error) {
    if (!isOverLimit(error)) throw error;
    const end = { result: "oom-kill", code: 1 };
    const stdout = new Uint8Array();
    return { code: 1, timedOut: false, stdout, stderr: "", end };
  }
}

async function inUnit(
  effects: Effects,
  unit: string,
  command: Command,
): Promise<Used> {
  const stop = () => effects.run(stopUnits(`${unit}.service`));
  let end: UnitEnd | undefined;
  const once = async () => {
    const finished = await effects.run(command);
    end = confinedEnd(finished.stderr);
    return { ...finished, end };
  };
  try {
    const used = await once();
    if (used.end || !isTaken(used)) return used;
    // A killed run has left a unit of this name.
    await stop();
    return await once();
  } finally {
    if (!end) await stop();
  }
}

/**
 * Returns whether systemd started nothing because a unit of this name exists.
 */
function isTaken({ code, stderr }: Finished): boolean {
  return code !== 0 && !stderr.includes("Running as unit: ") &&
    / already (?:loaded|exists)/.test(stderr);
}

async function confine(config: Config, use: Use): Promise<Confinement> {
  const { state, mirror, cache, seconds } = use;
  const folder = `${state}/evaluation`;
  const git = `${folder}/gitconfig`;
  const unit = unitIn(state, evaluationUnit);
  const { runtime } = foldersOf(unit);
  const shown = mirror === undefined
    ? undefined
    : mirrorFor(mirror, state, runtime);
  await ensureDir(folder);
  // libgit2 reads only this file; the mirror belongs to another user there.
  await Deno.writeTextFile(
    git,
    `[safe]\n\tdirectory = ${JSON.stringify(shown?.to ?? "")}\n`,
  );
  await Deno.chmod(git, 0o644);
  for (const open of [shown?.from, cache]) {
    if (open !== undefined) await makeReadable(open);
  }
  return {
    unit,
    user: evaluationUser,
    readable: [
      ...publicFiles,
      await settingsOfNix(folder),
      ...elsewhere(),
      ...shown === undefined ? [] : [shown],
      ...cache === undefined ? [] : [{ from: cache }],
      { from: git, to: `${runtime}/git/config` },
    ],
    network: config["build.network"],
    memory: memoryFor(config["limits.evaluation"]),
    seconds,
    boundTo: ownService(),
  };
}

/** Returns all environment variables of the unit. */
function environment({ state, mirror, cache }: Use): Record<string, string> {
  const { runtime, cache: ownCache } = foldersOf(
    unitIn(state, evaluationUnit),
  );
  const safe = mirror === undefined
    ? []
    : [mirror, mirrorFor(mirror, state, runtime).to];
  const ca = authorityFile();
  return {
    ...publicVariables(),
    ...gitEnvironment(
      {
        repository: "",
        sshKeyFile: undefined,
        knownHosts: undefined,
        tokenFile: undefined,
        username: "",
      },
      [
        // A submodule may not be a file of the host (git-config(1),
        // "protocol.allow").
        ["protocol.file.allow", "user"],
        ...safe.map((one) => ["safe.directory", one] as const),
      ],
    ),
    ...ca === undefined ? {} : { GIT_SSL_CAINFO: ca },
    ...cache === undefined ? {} : { GITOPS_SYNC_CACHE: cache },
    NIX_REMOTE: "daemon",
    HOME: runtime,
    XDG_CACHE_HOME: ownCache,
    XDG_CONFIG_HOME: runtime,
  };
}
