/**
 * Fetches the inputs of a flake that need a credential of this host. The
 * evaluation later runs without any.
 *
 * Nothing of the revision is evaluated here: a fixed expression reads what the
 * lock file says about an input, and only attributes that name a server. Nix
 * stores the result by the hash of the lock file, where the evaluation finds
 * it.
 *
 * @module
 */
import { ensureDir } from "@std/fs";
import type { Command, Effects, Finished } from "../base/effects.ts";
import { credentialOptions } from "./arguments.ts";
import type { BuildFailure } from "./failure.ts";
import type { Input } from "./lock_file.ts";
import { NixLog } from "./log.ts";
import { nixSettings } from "./settings.ts";

/** How inputs are fetched. */
export interface Fetching {
  /** Environment variables that name the credentials. */
  env: Readonly<Record<string, string>>;
  /** Arguments for Nix, including credentials. */
  options: readonly string[];
  /** The server that the credentials of the repository are for. */
  server?: string | undefined;
  /** A folder of ours. */
  folder: string;
  /** Milliseconds for all of them. */
  timeout: number;
  onLine: (line: string) => void;
  /**
   * Runs a fetch with submodules: it must not see any repository of the host.
   */
  runDeep: (command: Command) => Promise<Finished>;
}

/** An input that could not be fetched. */
export interface Unfetched {
  name: string;
  failure: BuildFailure;
}

const isText = (value: unknown): value is string => typeof value === "string";
const isName = (value: unknown) => isText(value) && /^\w[\w.-]*$/.test(value);
const isHost = (value: unknown) =>
  isText(value) && /^\w[\w.-]*(?::\d+)?$/.test(value);
const isPath = (value: unknown) => isText(value) && /^\w[\w./~-]*$/.test(value);
const isCommit = (value: unknown) =>
  isText(value) && /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(value);
const isRef = (value: unknown) =>
  isText(value) && /^\w[\w./@+-]*$/.test(value) && !value.includes("..");
const isHash = (value: unknown) =>
  isText(value) && /^sha256-[A-Za-z0-9+/]{43}=$/.test(value);
const isCount = (value: unknown) => Number.isSafeInteger(value);
const isFlag = (value: unknown) => typeof value === "boolean";
// Without a password, and without a word that ssh takes for an option.
const isUrl = (value: unknown) =>
  isText(value) &&
  /^(?:https?|ssh):\/\/(?:[\w.~-]+@)?\w[\w.-]*(?::\d+)?\/[^\s\p{C}]*$/u
    .test(value);

type Check = (value: unknown) => boolean;

const ofForge: Readonly<Record<string, Check>> = {
  host: isHost,
  owner: isPath,
  repo: isName,
  rev: isCommit,
  narHash: isHash,
  lastModified: isCount,
};
const ofFile = { url: isUrl, narHash: isHash, lastModified: isCount };

// nix3-flake(1), "Types". `path` and `indirect` name no server.
const attributes: Readonly<Record<string, Readonly<Record<string, Check>>>> = {
  github: ofForge,
  gitlab: ofForge,
  sourcehut: ofForge,
  git: {
    url: isUrl,
    rev: isCommit,
    ref: isRef,
    narHash: isHash,
    lastModified: isCount,
    revCount: isCount,
    submodules: isFlag,
    shallow: isFlag,
    allRefs: isFlag,
    lfs: isFlag,
    exportIgnore: isFlag,
  },
  tarball: { ...ofFile, rev: isCommit, revCount: isCount },
  file: ofFile,
};

/** Attributes that `fetchTree` does not need. */
const passedOver = ["dir", "__final", "type"];

/**
 * Returns the arguments of `fetchTree` for an input.
 *
 * @returns `undefined` if the input names no server, has no hash, or has an
 * unknown attribute. Then the evaluation fetches it.
 */
export function fetchable(
  locked: Input["locked"],
): Record<string, unknown> | undefined {
  const { type } = locked;
  if (!isText(type) || !Object.hasOwn(attributes, type)) return undefined;
  const known = attributes[type]!;
  const given = Object.entries(locked)
    .filter(([name]) => !passedOver.includes(name));
  const areKnown = given.every(([name, value]) =>
    Object.hasOwn(known, name) && known[name]!(value)
  );
  const isLocked = given.some(([name]) => name === "narHash");
  return areKnown && isLocked
    ? { type, ...Object.fromEntries(given) }
    : undefined;
}

/** Returns the servers that an input is fetched from. */
function serversOf({ type, host, url }: Record<string, unknown>): string[] {
  switch (type) {
    case "github":
      return [String(host ?? "github.com"), `api.${host ?? "github.com"}`];
    case "gitlab":
      return [String(host ?? "gitlab.com")];
    case "sourcehut":
      return [String(host ?? "git.sr.ht")];
    default:
      return [new URL(String(url)).host, new URL(String(url)).hostname];
  }
}

/** The credentials of this host. */
export interface Credentials {
  /** The servers that they are for; `*` means all. */
  servers: readonly string[];
}

/** Returns whether one of the credentials may be for this input. */
export function needsCredential(
  tree: Record<string, unknown>,
  { servers }: Credentials,
): boolean {
  // Ssh keys are tried at each server, and no server answers without one.
  if (isText(tree["url"]) && tree["url"].startsWith("ssh:")) return true;
  return servers.includes("*") ||
    serversOf(tree).some((server) => servers.includes(server));
}

/** Returns the servers that Nix or Git has a credential for. */
export async function credentialsHere(
  effects: Effects,
  { env, options, server }: Fetching,
): Promise<Credentials> {
  const settings = await nixSettings(effects, env, credentialOptions(options));
  // An unreadable file may be for every server.
  if (!settings) return { servers: ["*"] };
  const netrc = await Deno.readTextFile(settings.netrcFile)
    .catch((error) => error instanceof Deno.errors.NotFound ? "" : "default");
  return {
    servers: [
      ...server === undefined ? [] : [server],
      ...settings.tokenPlaces.map((place) => place.split("/")[0]!),
      ...machinesIn(netrc),
    ],
  };
}

/** Returns the servers of a netrc file (curl(1), "--netrc-file"). */
export function machinesIn(netrc: string): string[] {
  const words = netrc.split(/\s+/);
  return words.flatMap((word, i) =>
    word === "machine" ? [words[i + 1] ?? "*"] : word === "default" ? ["*"] : []
  );
}

/** Fetches one locked tree after another. It reads no other file. */
const expression =
  "{ file }: map (tree: (builtins.fetchTree tree).outPath) (builtins.fromJSON (builtins.readFile file))";

/** Fetches trees into the store. */
export async function fetchInputs(
  effects: Effects,
  inputs: readonly Input[],
  fetching: Fetching,
): Promise<Unfetched[]> {
  const isDeep = ({ locked }: Input) => locked["submodules"] === true;
  const run = (command: Command) => effects.run(command);
  return [
    ...await fetchAll(run, inputs.filter((one) => !isDeep(one)), fetching),
    ...await fetchAll(fetching.runDeep, inputs.filter(isDeep), fetching),
  ];
}

/**
 * Fetches all at once, and one by one if that fails: the evaluation may not
 * need the missing one.
 */
async function fetchAll(
  run: Effects["run"],
  inputs: readonly Input[],
  fetching: Fetching,
): Promise<Unfetched[]> {
  const failure = await fetchTrees(run, inputs, fetching);
  if (!failure) return [];
  if (inputs.length === 1) return [{ name: inputs[0]!.name, failure }];
  const unfetched: Unfetched[] = [];
  for (const input of inputs) {
    const failure = await fetchTrees(run, [input], fetching);
    if (failure) unfetched.push({ name: input.name, failure });
  }
  return unfetched;
}

async function fetchTrees(
  run: Effects["run"],
  inputs: readonly Input[],
  { env, options, folder, timeout, onLine }: Fetching,
): Promise<BuildFailure | undefined> {
  const trees = inputs.map(({ locked }) => fetchable(locked))
    .filter((tree) => tree !== undefined);
  if (trees.length === 0) return undefined;
  await ensureDir(folder);
  const file = `${folder}/inputs.json`;
  await Deno.writeTextFile(file, JSON.stringify(trees));
  const log = new NixLog();
  const finished = await run({
    program: "nix-instantiate",
    args: [
      ...["--extra-experimental-features", "nix-command flakes"],
      ...["--log-format", "internal-json"],
      ...["--eval", "--strict", "--json", "--argstr", "file", file],
      ...["--option", "flake-registry", ""],
      ...options,
      ...["--expr", expression],
    ],
    env,
    timeout,
    onLine: (line) => {
      log.line(line);
      onLine(line);
    },
  });
  if (finished.code === 0) return undefined;
  return log.failure();
}
