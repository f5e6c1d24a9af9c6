/**
 * What the remote says of its names.
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

/** A tip with the question that was put to the remote, and its answer. */
export interface Asked {
  tip: Tip | undefined;
  /** None where a full commit needs no question. */
  question?: Command;
  answer: string;
  /** The URL that answered, where the configuration names mirrors. */
  servedBy?: string;
  /** What the ref of the signed notes is at, where they count and there are any. */
  notes?: string;
}

/** What was deployed last from a ref, as far as it tells tags apart. */
export interface Before {
  revision: string;
  /** The full name of the tag, where `ref` is a pattern. */
  name?: string;
}

/** Some names with their hashes; more is no answer to what was asked. */
const mostAnswer = 16 * 2 ** 20;

/** The names to ask the remote for, so that it answers in one round. */
export function askedNames(ref: string): string[] {
  const pattern = parsePattern(ref);
  // Git's * reaches over the end of a name, so the commits behind tags come too.
  if (pattern) return pattern.glob ? [`refs/tags/${pattern.glob}*`] : [];
  const full = ref.startsWith("refs/");
  const names = full ? [ref] : [`refs/heads/${ref}`, `refs/tags/${ref}`];
  return names.flatMap((name) =>
    name.startsWith("refs/heads/") ? [name] : [name, `${name}^{}`]
  );
}

/**
 * The kinds of names among which the ones asked for are. Git filters names by
 * itself, and lets the server send no others than those of a kind: some have
 * many thousands that are neither branch nor tag.
 */
function askedKinds(ref: string): string[] {
  if (isPattern(ref)) return ["--tags"];
  if (!ref.startsWith("refs/")) return ["--heads", "--tags"];
  if (ref.startsWith("refs/heads/")) return ["--heads"];
  return ref.startsWith("refs/tags/") ? ["--tags"] : [];
}

/**
 * Asks the remote what `ref` points to: one process.
 *
 * @param before What was deployed last from `ref`.
 * @returns no tip where the remote answers that there is no such name.
 * @throws {SyncError} At stage `decide`, if the remote can't be asked, or if
 * the name is both a branch and a tag.
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
    const { withSshWords } = await import("./ssh_words.ts");
    const whole = await withSshWords(effects, question, finished);
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

/** What of the configuration names refs. */
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

/** The full name of the ref with signed notes, where they count. */
export function approvalsRef(
  config: Pick<AskedRefs, `approvals.${ApprovalsOption}`>,
): string | undefined {
  const isOn = config["approvals.allowedSigners"] !== undefined ||
    (config["approvals.openpgpKeys"] ?? []).length > 0;
  return isOn ? config["approvals.ref"] : undefined;
}

type ApprovalsOption = "allowedSigners" | "openpgpKeys" | "ref";

/** The full name of the branch that is tried out, where one is. */
export function testingBranch(config: AskedRefs): string | undefined {
  if (!config["testing.enable"]) return undefined;
  const name = config["testing.ref"]!.replaceAll("{host}", config.host!);
  return name.startsWith("refs/") ? name : `refs/heads/${name}`;
}

/** The names of all: where none is asked for, all tags are. */
function namesWith(ref: string, beside: readonly string[]): string[] {
  if (isRevision(ref)) return [...beside];
  const names = askedNames(ref);
  if (beside.length === 0 || names.length > 0) return [...names, ...beside];
  return ["refs/tags/*", ...beside];
}

/** The kinds of all; every kind where one of them may be of any. */
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

/** The same question; the server's headers come along. */
function withHeaders(question: Command, config: RemoteConfig): Command {
  const env = { ...question.env, ...headersOf(config.repository) };
  return { ...question, env };
}

/** Asks with bounds on what a hostile server can make Git use. */
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
 * Reads the answer of `git ls-remote` to {@linkcode askedNames}.
 *
 * @param before What was deployed last from `ref`.
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
  // An annotated tag is an object of its own; `^{}` is the commit behind it.
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
 * The tag with the highest version. Where several have it (`v1.2`, `1.2.0`,
 * `1.2.0+a`), the one that is followed stays, by its name or else its commit:
 * none of them is newer than it. Otherwise it is the name that sorts last.
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
 * All names on the remote, for a message that helps; empty if it has none.
 *
 * @throws {SyncError} `not-git` where no Git server answered: Git takes a page
 * without a full line for the list of an empty repository.
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

/** A tag on the remote that is an object of its own. */
export interface RemoteTag {
  /** Its full name. */
  name: string;
  /** The tag object. */
  id: string;
  /** The commit behind it. */
  revision: string;
}

/** The tags on the remote that can be signed, each with the commit behind it. */
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
