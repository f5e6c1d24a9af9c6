/**
 * Queries the remote for its refs.
 *
 * @module
 */
import type { Command, Effects, Finished } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { oneLine } from "../base/text.ts";
import type { Config } from "../config/schema.ts";
import { gitEnvironment, mostMemory, type RemoteConfig } from "./git.ts";
import { headersOf } from "./headers.ts";
import { isRevision } from "../base/names.ts";
import { Tip } from "../base/tip.ts";
import { compareVersions, type Version } from "../base/version.ts";
import {
  isPattern,
  parsePattern,
  type TagPattern,
} from "../config/tag_pattern.ts";

/** A tip with the query to the remote, and its answer. */
export interface Asked {
  tip: Tip | undefined;
  /** Missing if `ref` is a full commit hash, which needs no query. */
  question?: Command;
  answer: string;
  /** The URL that answered, if the configuration has mirrors. */
  servedBy?: string;
  /**
   * The commit of the ref with signed notes, if they are enabled and it exists.
   */
  notes?: string;
}

/** The revision that was deployed last from a ref, and its tag. */
export interface Before {
  revision: string;
  /** The full name of the tag, if `ref` is a pattern. */
  name?: string;
}

/** The largest answer in bytes: names with their hashes. */
const mostAnswer = 16 * 2 ** 20;

/** Returns the ref names to query, so that the remote answers in one round. */
export function askedNames(ref: string): string[] {
  const pattern = parsePattern(ref);
  // Git's * also matches the suffix ^{}, so the commits of tags come as well.
  if (pattern) return pattern.glob ? [`refs/tags/${pattern.glob}*`] : [];
  const full = ref.startsWith("refs/");
  const names = full ? [ref] : [`refs/heads/${ref}`, `refs/tags/${ref}`];
  return names.flatMap((name) =>
    name.startsWith("refs/heads/") ? [name] : [name, `${name}^{}`]
  );
}

/**
 * Returns the kinds of refs to query. Git filters the names itself, and tells
 * the server which kinds to send: some servers have many thousands of refs that
 * are neither branches nor tags.
 */
function askedKinds(ref: string): string[] {
  if (isPattern(ref)) return ["--tags"];
  if (!ref.startsWith("refs/")) return ["--heads", "--tags"];
  if (ref.startsWith("refs/heads/")) return ["--heads"];
  return ref.startsWith("refs/tags/") ? ["--tags"] : [];
}

/**
 * Queries the remote for the commit of `ref`, with one process.
 *
 * @param before The revision that was deployed last from `ref`.
 * @returns no tip if the remote answers that there is no such ref.
 * @throws {SyncError} At stage `decide`, if the query fails, or if the name is
 * both a branch and a tag.
 */
export async function askRemote(
  effects: Pick<Effects, "run">,
  config: RemoteConfig & AskedRefs & Pick<Config, "timeouts.remote">,
  before?: Before,
): Promise<Asked> {
  const { ref } = config;
  const testing = testingBranch(config);
  const notes = approvalsRef(config);
  const beside = [testing, notes].filter((one) => one !== undefined);
  if (isRevision(ref) && beside.length === 0) {
    return { tip: { revision: ref, kind: "commit", name: ref }, answer: "" };
  }
  const question: Command = {
    program: "git",
    args: [
      "ls-remote",
      ...kindsWith(ref, beside),
      "--",
      config.repository,
      ...namesWith(ref, beside),
    ],
    env: gitEnvironment(config),
    timeout: config["timeouts.remote"],
  };
  if (config.sshKeyFile) {
    const { refuseBadKey } = await import("./usable_key.ts");
    await refuseBadKey(effects, config, "decide");
  }
  const finished = await bounded(
    effects,
    withHeaders(question, config),
    config,
  );
  if (finished.code !== 0) {
    const { remoteFailure } = await import("./failure.ts");
    const { withSshMessages } = await import("./ssh_messages.ts");
    const whole = await withSshMessages(effects, question, finished);
    throw remoteFailure(whole, config, "decide");
  }
  const answer = new TextDecoder().decode(finished.stdout);
  const notesAt = notes && namesIn(answer).get(notes);
  const asked = { question, answer, ...notesAt && { notes: notesAt } };
  const tip = isRevision(ref)
    ? { revision: ref, kind: "commit" as const, name: ref }
    : parseTip(answer, ref, before);
  if (!tip || testing === undefined) return { tip, ...asked };
  return { tip: { ...tip, testing: branchIn(answer, testing) }, ...asked };
}

/** The options that name refs. */
type AskedRefs =
  & Pick<Config, "ref">
  & Partial<
    Pick<
      Config,
      | "testing.enable"
      | "testing.ref"
      | "host"
      | "approvals.allowedSigners"
      | "approvals.openpgpKeys"
      | "approvals.ref"
    >
  >;

/** Returns the full name of the ref with signed notes, if they are enabled. */
export function approvalsRef(
  config: Pick<AskedRefs, `approvals.${ApprovalsOption}`>,
): string | undefined {
  const isOn = config["approvals.allowedSigners"] !== undefined ||
    (config["approvals.openpgpKeys"] ?? []).length > 0;
  return isOn ? config["approvals.ref"] : undefined;
}

type ApprovalsOption = "allowedSigners" | "openpgpKeys" | "ref";

/** Returns the full name of the testing branch, if testing is enabled. */
export function testingBranch(config: AskedRefs): string | undefined {
  if (!config["testing.enable"]) return undefined;
  const name = config["testing.ref"]!.replaceAll("{host}", config.host!);
  return name.startsWith("refs/") ? name : `refs/heads/${name}`;
}

/**
 * Returns all names to query. Without a name of its own, a pattern queries all
 * tags.
 */
function namesWith(ref: string, beside: readonly string[]): string[] {
  if (isRevision(ref)) return [...beside];
  const names = askedNames(ref);
  if (beside.length === 0 || names.length > 0) return [...names, ...beside];
  return ["refs/tags/*", ...beside];
}

/**
 * Returns the kinds of all refs; no restriction if one of them may be of any
 * kind.
 */
function kindsWith(ref: string, beside: readonly string[]): string[] {
  const kinds = [
    ...isRevision(ref) ? [] : [askedKinds(ref)],
    ...beside.map(askedKinds),
  ];
  if (kinds.some((some) => some.length === 0)) return [];
  return ["--heads", "--tags"].filter((kind) =>
    kinds.some((some) => some.includes(kind))
  );
}

function branchIn(answer: string, name: string): Tip | null {
  const revision = namesIn(answer).get(name);
  return revision === undefined ? null : { revision, kind: "branch", name };
}

/** Returns the same query, which also prints the server's headers. */
function withHeaders(question: Command, config: RemoteConfig): Command {
  const env = { ...question.env, ...headersOf(config.repository) };
  return { ...question, env };
}

/** Runs a query with limits, because the server may be hostile. */
async function bounded(
  effects: Pick<Effects, "run">,
  question: Command,
  config: RemoteConfig,
): Promise<Finished> {
  try {
    return await effects.run({
      ...question,
      most: mostAnswer,
      limits: { memory: mostMemory },
    });
  } catch (error) {
    const isLimit = error instanceof SyncError &&
      ["output-too-large", "limit"].includes(error.reason);
    if (!isLimit) throw error;
    const { answerTooLarge } = await import("./failure.ts");
    throw answerTooLarge(config, "decide");
  }
}

/** The names in an answer of `git ls-remote`, each with its hash. */
function namesIn(output: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of output.split("\n")) {
    const [id, name] = line.split("\t");
    if (name !== undefined && isRevision(id!)) found.set(name, id!);
  }
  return found;
}

/**
 * Finds the tip in the answer of `git ls-remote` to {@linkcode askedNames}.
 *
 * @param before The revision that was deployed last from `ref`.
 * @throws {SyncError} `ref-ambiguous` if the name is a branch and a tag.
 */
export function parseTip(
  output: string,
  ref: string,
  before?: Before,
): Tip | undefined {
  const found = namesIn(output);
  const pattern = parsePattern(ref);
  if (pattern) return newestTag(found, pattern, before);
  // An annotated tag is a separate object; `^{}` is the commit that it points
  // to.
  const commitOf = (name: string) => found.get(`${name}^{}`) ?? found.get(name);
  const branch = ref.startsWith("refs/") ? ref : `refs/heads/${ref}`;
  const tag = ref.startsWith("refs/") ? ref : `refs/tags/${ref}`;
  if (branch !== tag && found.has(branch) && found.has(tag)) {
    throw new SyncError(
      `Cannot follow ${ref}: the repository has a branch and a tag with that name`,
      {
        stage: "decide",
        reason: "ref-ambiguous",
        next: "retry",
        hints: [
          `set ref to refs/heads/${ref} or refs/tags/${ref} in the configuration`,
        ],
      },
    );
  }
  if (found.has(branch) && !branch.startsWith("refs/tags/")) {
    return { revision: commitOf(branch)!, kind: "branch", name: branch };
  }
  const revision = commitOf(tag);
  return revision === undefined
    ? undefined
    : { revision, kind: "tag", name: tag };
}

/**
 * Returns the tag with the highest version. If more than one tag has it
 * (`v1.2`, `1.2.0`, `1.2.0+a`), the tag that was deployed wins, by its name or
 * else its commit, because the others are not newer. Otherwise the name that
 * sorts last wins.
 */
function newestTag(
  found: ReadonlyMap<string, string>,
  { versionOf }: TagPattern,
  before?: Before,
): Tip | undefined {
  let newest: Version | undefined;
  let names: string[] = [];
  for (const name of found.keys()) {
    if (!name.startsWith(tags) || name.endsWith("^{}")) continue;
    const version = versionOf(name.slice(tags.length));
    if (!version) continue;
    const order = newest ? compareVersions(version, newest) : 1;
    if (order < 0) continue;
    if (order > 0) [newest, names] = [version, []];
    names.push(name);
  }
  const revisionOf = (name: string) =>
    found.get(`${name}^{}`) ?? found.get(name)!;
  names.sort();
  const name = names.find((name) => name === before?.name) ??
    names.findLast((name) => revisionOf(name) === before?.revision) ??
    names.at(-1);
  if (name === undefined) return undefined;
  return { revision: revisionOf(name), kind: "tag", name };
}

const tags = "refs/tags/";

/**
 * Returns all refs of the remote, for hints; empty if it has none.
 *
 * @throws {SyncError} `not-git` if no Git server answered: Git reads a page
 * without a complete line as the list of an empty repository.
 */
export async function listRemote(
  effects: Effects,
  config: RemoteConfig & Pick<Config, "timeouts.remote">,
): Promise<string[]> {
  const finished = await bounded(effects, {
    program: "git",
    args: ["ls-remote", "--refs", "--", config.repository],
    env: { ...gitEnvironment(config), GIT_TRACE_PACKET: "1" },
    timeout: config["timeouts.remote"],
  }, config);
  if (finished.code !== 0) {
    const { remoteFailure } = await import("./failure.ts");
    throw remoteFailure(finished, config, "decide");
  }
  const names = new TextDecoder().decode(finished.stdout).split("\n")
    .flatMap((line) => line.split("\t")[1] ?? [])
    .map((name) => oneLine(name));
  const spokeGit = / packet: +\S+< /.test(finished.stderr);
  if (names.length === 0 && !spokeGit) {
    const { notGit } = await import("./failure.ts");
    throw notGit(config, "decide");
  }
  return names;
}

/** An annotated tag on the remote. */
export interface RemoteTag {
  /** Its full name. */
  name: string;
  /** The tag object. */
  id: string;
  /** The commit behind it. */
  revision: string;
}

/** Returns the annotated tags of the remote, each with its commit. */
export async function listTags(
  effects: Pick<Effects, "run">,
  config: RemoteConfig & Pick<Config, "timeouts.remote">,
): Promise<RemoteTag[]> {
  const finished = await bounded(effects, {
    program: "git",
    args: ["ls-remote", "--tags", "--", config.repository],
    env: { ...gitEnvironment(config), ...headersOf(config.repository) },
    timeout: config["timeouts.remote"],
  }, config);
  if (finished.code !== 0) {
    const { remoteFailure } = await import("./failure.ts");
    throw remoteFailure(finished, config, "verify");
  }
  const found = namesIn(new TextDecoder().decode(finished.stdout));
  return [...found].flatMap(([peeled, revision]) => {
    const name = peeled.slice(0, -3);
    const id = found.get(name);
    return peeled.endsWith("^{}") && id ? [{ name, id, revision }] : [];
  });
}
