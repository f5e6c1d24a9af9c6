/**
 * The URLs of one repository: selects the first that answers and is up to date.
 *
 * @module
 */
import { type Effects, say } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { short } from "../base/text.ts";
import type { Tip } from "../base/tip.ts";
import { compareVersions } from "../base/version.ts";
import type { Config } from "../config/schema.ts";
import { parsePattern } from "../config/tag_pattern.ts";
import { alarm } from "../process/command.ts";
import { targetOf } from "../run/decide.ts";
import { followedOf } from "../run/followed.ts";
import { QuietServers } from "../run/quiet.ts";
import type { State } from "../state/state.ts";
import { isAncestor } from "./ancestry.ts";
import { type Asked, askRemote } from "./remote.ts";

/** The revision that was deployed last from a ref. */
type Before = NonNullable<ReturnType<typeof followedOf>>;

type Programs = Pick<Effects, "run" | "tell" | "now">;

/**
 * Returns the configuration for one of the URLs, with only its own credentials.
 *
 * @param servedBy The URL; for none, or for the repository itself, the
 * configuration is unchanged.
 */
export function remoteOf(config: Config, servedBy?: string): Config {
  return remotesOf(config).find(({ repository }) => repository === servedBy) ??
    config;
}

/** Returns the repository and its mirrors, each with its own credentials. */
export function remotesOf(config: Config): Config[] {
  const mirrors = config.mirrors.map((
    {
      url,
      sshKeyFile,
      knownHosts,
      tokenFile,
      username = "git",
      certFile,
      keyFile,
    },
  ): Config => ({
    ...config,
    // It belongs to the key of the repository.
    sshCertificateFile: sshKeyFile === config.sshKeyFile
      ? config.sshCertificateFile
      : undefined,
    "tls.certFile": certFile,
    "tls.keyFile": keyFile,
    repository: url,
    sshKeyFile,
    knownHosts,
    tokenFile,
    username,
  }));
  return [config, ...mirrors];
}

/**
 * Queries the URLs in their order, and uses the first that answers and is not
 * behind the deployed revision. If all that answer are behind, this host keeps
 * its revision.
 *
 * @param quiet The servers that are not queried for some time; their answers
 * are recorded there.
 * @returns as {@linkcode askRemote}; the query only if the repository itself
 * answered, so that a later run queries it first again.
 * @throws {SyncError} the failure of the repository itself, if none answered.
 */
export async function askSources(
  effects: Programs,
  config: Config,
  state: State,
  quiet: QuietServers = new QuietServers(state.quiet),
): Promise<Asked> {
  const followed = followedOf(state, targetOf(config));
  if (config.mirrors.length === 0) {
    return await askOne(effects, config, quiet, followed);
  }
  const failures: { url: string; error: SyncError }[] = [];
  let behind: Asked | undefined, missing: Asked | undefined;
  for (const remote of remotesOf(config)) {
    const url = remote.repository;
    try {
      const asked = await askOne(effects, remote, quiet, followed);
      const { tip, answer } = asked;
      if (!tip) {
        missing ??= { tip, answer, servedBy: url };
        continue;
      }
      const before = await newerDeployed(effects, config, state, tip);
      if (!before) {
        warnOfFailures(effects, failures, url);
        const named = { ...asked, tip: { ...tip, servedBy: url } };
        if (url === config.repository) return named;
        const { notes } = asked;
        return { tip: named.tip, answer, ...notes && { notes } };
      }
      reportBehind(effects, url, tip, before);
      behind ??= { tip: stay(tip, before, url), answer: "" };
    } catch (error) {
      if (!isPassedOver(error)) throw error;
      failures.push({ url, error });
    }
  }
  const found = behind ?? missing;
  if (!found) throw noAnswerError(failures);
  warnOfFailures(effects, failures, config.repository);
  return found;
}

/** Queries one URL, unless its server asked for a pause. */
async function askOne(
  effects: Programs,
  remote: Config,
  quiet: QuietServers,
  followed: Before | undefined,
): Promise<Asked> {
  const { repository } = remote;
  const refused = quiet.leftAlone(repository, effects.now());
  if (refused) throw refused;
  // A waiting person sees the reason.
  const letGo = alarm(
    patience,
    () => say(effects, "info", `${repository} has not answered yet`),
  );
  try {
    const asked = await askRemote(effects, remote, followed);
    quiet.answered(repository);
    return asked;
  } catch (error) {
    if (error instanceof SyncError) {
      quiet.note(repository, error, effects.now());
    }
    throw error;
  } finally {
    letGo();
  }
}

/** Milliseconds in which most servers have answered. */
const patience = 2000;

/**
 * Whether the next URL is queried: not after a signal, or if another URL would
 * give the same answer.
 */
function isPassedOver(error: unknown): error is SyncError {
  return error instanceof SyncError && error.stage === "decide" &&
    !["interrupted", "ref-ambiguous"].includes(error.reason);
}

/** Returns this host's revision as if a URL had reported it. */
function stay(tip: Tip, before: Before, servedBy: string): Tip {
  const { revision, kind = tip.kind, name = tip.name } = before;
  return { revision, kind, name, servedBy };
}

/** Returns the deployed revision if a tip is older than it. */
async function newerDeployed(
  effects: Programs,
  config: Config,
  state: State,
  tip: Tip,
): Promise<Before | undefined> {
  const before = followedOf(state, targetOf(config));
  const isMeant = config.allowForcePush ||
    state.accepted?.some(({ revision }) => revision === tip.revision);
  if (!before || before.revision === tip.revision || isMeant) return undefined;
  const pattern = parsePattern(config.ref);
  const isBehind = pattern
    ? compareTags(config.ref, tip.name, before.name) < 0
    : await isOlder(effects, config, state, tip.revision, before.revision);
  return isBehind ? before : undefined;
}

/**
 * Compares two tags by the versions that a pattern finds in them.
 *
 * @returns a number below 0 if the first is lower; above 0 if it is higher, or
 * if one of them has no version.
 */
export function compareTags(
  ref: string,
  a: string,
  b: string | undefined,
): number {
  const versionOf = (name: string | undefined) =>
    name === undefined
      ? undefined
      : parsePattern(ref)?.versionOf(name.replace(/^refs\/tags\//, ""));
  const [one, other] = [versionOf(a), versionOf(b)];
  return one && other ? compareVersions(one, other) : 1;
}

async function isOlder(
  effects: Programs,
  { stateDirectory }: Config,
  { earlier }: State,
  revision: string,
  than: string,
): Promise<boolean> {
  if (earlier.some((one) => one.revision === revision)) return true;
  const run = { effects, folder: stateDirectory };
  try {
    return await isAncestor(run, `${stateDirectory}/repo`, revision, than);
  } catch (error) {
    // The fetch repairs the mirror, and then the move is checked again.
    if (error instanceof SyncError && error.reason === "mirror-damaged") {
      return false;
    }
    throw error;
  }
}

function warnOfFailures(
  effects: Programs,
  failures: readonly { error: SyncError }[],
  servedBy: string,
): void {
  for (const { error } of failures) {
    say(
      effects,
      "warning",
      `${error.message}; ${servedBy} answers`,
      error.hints,
    );
  }
}

function reportBehind(
  effects: Programs,
  url: string,
  tip: Tip,
  { revision }: Before,
): void {
  say(
    effects,
    "notice",
    `${url} is behind: it is at ${short(tip.revision)}, and ${
      short(revision)
    } is deployed`,
  );
}

/**
 * Returns the failure of the repository itself, with the failures of the
 * mirrors as hints.
 */
function noAnswerError(
  failures: readonly { url: string; error: SyncError }[],
): SyncError {
  const [first, ...others] = failures.map(({ error }) => error);
  const { message, stage, reason, next, hints, details, after, exit } = first!;
  return new SyncError(message, {
    stage,
    reason,
    next,
    details,
    after,
    exit,
    hints: [
      ...hints,
      ...others.map(({ message }) => `no mirror answers either: ${message}`),
    ],
  });
}
