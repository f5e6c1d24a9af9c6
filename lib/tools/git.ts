/**
 * Git, driven so that nothing in a repository, a user's configuration or a
 * prompt can steer it: hooks, helpers and prompts are off, host keys are
 * pinned, and credentials go to the configured server alone.
 *
 * @module
 */
import type { Command, Effects, Finished } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { oneLine } from "../base/text.ts";
import type { Config } from "../config/schema.ts";

/** The options that decide how the remote is reached. */
export type RemoteConfig = Pick<
  Config,
  "repository" | "sshKeyFile" | "knownHosts" | "tokenFile" | "username"
>;

/** What a name on the remote points to right now. */
export interface Tip {
  /** The full commit hash. */
  revision: string;
  kind: "branch" | "tag" | "commit";
  /** The full name to fetch, e.g. `refs/heads/main`; the hash of a commit. */
  name: string;
}

/** A tip with the question that was put to the remote, and its answer. */
export interface Asked {
  tip: Tip | undefined;
  /** None where a full commit needs no question. */
  question?: Command;
  answer: string;
}

/** Whether `ref` is a full commit hash (SHA-1 or SHA-256). */
export function isRevision(ref: string): boolean {
  return /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(ref);
}

// Both are constants that a shell of Git's reads; every changing part comes
// to them through the environment, so no shell is ever given a built string.
const sshCommand = "exec ssh -o BatchMode=yes -o StrictHostKeyChecking=yes " +
  "-o ConnectTimeout=20 -o ServerAliveInterval=15 " +
  '${GITOPS_SYNC_SSH_KEY:+-i "$GITOPS_SYNC_SSH_KEY" -o IdentitiesOnly=yes} ' +
  '${GITOPS_SYNC_KNOWN_HOSTS:+-o "UserKnownHostsFile=\\"$GITOPS_SYNC_KNOWN_HOSTS\\"" -o GlobalKnownHostsFile=/dev/null}';
const credentialHelper = '!f() { test "$1" = get || exit 0; ' +
  't=$(cat -- "$GITOPS_SYNC_TOKEN_FILE") && test -n "$t" && ' +
  // Git would show the lines that it does not understand.
  'case $t in *"\n"*) false ;; esac && ' +
  'printf "username=%s\\npassword=%s\\n" "$GITOPS_SYNC_USERNAME" "$t"; }; f';

/** The settings every call runs under (git-config(1)). */
const settings: readonly (readonly [string, string])[] = [
  ["core.hooksPath", "/dev/null"],
  ["core.fsmonitor", "false"],
  ["core.askPass", ""],
  ["credential.helper", ""],
  // A redirect of the first request only, as Git does by default: the
  // credential below is bound to the configured server, and stays there.
  ["http.followRedirects", "initial"],
  ["protocol.allow", "never"],
  ["protocol.file.allow", "always"],
  ["protocol.http.allow", "always"],
  ["protocol.https.allow", "always"],
  ["protocol.ssh.allow", "always"],
  // Collecting garbage in the background would outlive the run.
  ["gc.autoDetach", "false"],
  ["maintenance.autoDetach", "false"],
  // A slow drip is a dead connection: under 1 kB/s for a minute.
  ["http.lowSpeedLimit", "1000"],
  ["http.lowSpeedTime", "60"],
  ["advice.detachedHead", "false"],
  // Nobody reads it, and for its lines Git asks the name server who we are.
  ["core.logAllRefUpdates", "false"],
];

/**
 * The environment of every Git process: our settings and no other, and the
 * way to the credentials of the remote.
 */
export function gitEnvironment(
  config: RemoteConfig,
  more: readonly (readonly [string, string])[] = [],
): Record<string, string> {
  const env: Record<string, string> = {
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_SSH_COMMAND: sshCommand,
    // English messages: failures are told apart by them.
    LC_ALL: "C",
  };
  if (config.sshKeyFile) env.GITOPS_SYNC_SSH_KEY = config.sshKeyFile;
  if (config.knownHosts) env.GITOPS_SYNC_KNOWN_HOSTS = config.knownHosts;
  const all = [...settings, ...more];
  const server = /^https?:\/\/[^/]+/.exec(config.repository)?.[0];
  if (config.tokenFile && server) {
    env.GITOPS_SYNC_TOKEN_FILE = config.tokenFile;
    env.GITOPS_SYNC_USERNAME = config.username;
    all.push([`credential.${server}.helper`, credentialHelper]);
  }
  const ca = authorityFile();
  if (ca) env.GIT_SSL_CAINFO = ca;
  env.GIT_CONFIG_COUNT = String(all.length);
  all.forEach(([key, value], i) => {
    env[`GIT_CONFIG_KEY_${i}`] = key;
    env[`GIT_CONFIG_VALUE_${i}`] = value;
  });
  return env;
}

/** The certificates that servers are judged by, if the environment says. */
export function authorityFile(): string | undefined {
  return Deno.env.get("GIT_SSL_CAINFO") ??
    Deno.env.get("NIX_SSL_CERT_FILE") ?? Deno.env.get("SSL_CERT_FILE");
}

/** A Git command that talks to nobody, in the mirror at `folder`. */
export function localGit(
  folder: string,
  args: readonly string[],
  options: Partial<Command> = {},
): Command {
  return {
    program: "git",
    args: ["-C", folder, ...args],
    timeout: 10 * 60_000,
    ...options,
    env: gitEnvironment({
      repository: "",
      sshKeyFile: undefined,
      knownHosts: undefined,
      tokenFile: undefined,
      username: "",
    }, [["safe.directory", folder], ["protocol.file.allow", "never"]]),
  };
}

/** The names to ask the remote for, so that it answers in one round. */
export function askedNames(ref: string): string[] {
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
  if (!ref.startsWith("refs/")) return ["--heads", "--tags"];
  if (ref.startsWith("refs/heads/")) return ["--heads"];
  return ref.startsWith("refs/tags/") ? ["--tags"] : [];
}

/**
 * Asks the remote what `ref` points to: one process.
 *
 * @returns no tip where the remote answers that there is no such name.
 * @throws {SyncError} At stage `decide`, if the remote can't be asked, or if
 * the name is both a branch and a tag.
 */
export async function askRemote(
  effects: Pick<Effects, "run">,
  config: RemoteConfig & Pick<Config, "ref" | "timeouts.remote">,
): Promise<Asked> {
  const { ref } = config;
  if (isRevision(ref)) {
    return { tip: { revision: ref, kind: "commit", name: ref }, answer: "" };
  }
  const question: Command = {
    program: "git",
    args: [
      "ls-remote",
      ...askedKinds(ref),
      "--",
      config.repository,
      ...askedNames(ref),
    ],
    env: gitEnvironment(config),
    timeout: config["timeouts.remote"],
  };
  const finished = await effects.run(question);
  if (finished.code !== 0) {
    const { remoteFailure } = await import("./git_failure.ts");
    throw remoteFailure(finished, config, "decide");
  }
  const answer = new TextDecoder().decode(finished.stdout);
  return { tip: parseTip(answer, ref), question, answer };
}

/**
 * Reads the answer of `git ls-remote` to {@linkcode askedNames}.
 *
 * @throws {SyncError} `ref-ambiguous` if the name is a branch and a tag.
 */
export function parseTip(output: string, ref: string): Tip | undefined {
  const found = new Map<string, string>();
  for (const line of output.split("\n")) {
    const [revision, name] = line.split("\t");
    if (name !== undefined && isRevision(revision!)) found.set(name, revision!);
  }
  // An annotated tag is an object of its own; `^{}` is the commit behind it.
  const commitOf = (name: string) => found.get(`${name}^{}`) ?? found.get(name);
  const branch = ref.startsWith("refs/") ? ref : `refs/heads/${ref}`;
  const tag = ref.startsWith("refs/") ? ref : `refs/tags/${ref}`;
  if (branch !== tag && found.has(branch) && found.has(tag)) {
    throw new SyncError(
      `Cannot follow ${ref}: the repository has a branch and a tag of that name`,
      {
        stage: "decide",
        reason: "ref-ambiguous",
        next: "retry",
        hints: [
          `write refs/heads/${ref} or refs/tags/${ref} as the ref in the configuration`,
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
 * All names on the remote, for a message that helps; empty if it has none.
 *
 * @throws {SyncError} `not-git` where no Git server answered: Git takes a page
 * without a full line for the list of an empty repository.
 */
export async function listRemote(
  effects: Effects,
  config: RemoteConfig & Pick<Config, "timeouts.remote">,
): Promise<string[]> {
  const finished = await effects.run({
    program: "git",
    args: ["ls-remote", "--refs", "--", config.repository],
    env: { ...gitEnvironment(config), GIT_TRACE_PACKET: "1" },
    timeout: config["timeouts.remote"],
  });
  const names = new TextDecoder().decode(finished.stdout).split("\n")
    .flatMap((line) => line.split("\t")[1] ?? [])
    .map((name) => oneLine(name));
  const spokeGit = / packet: +\S+< /.test(finished.stderr);
  if (names.length === 0 && finished.code === 0 && !spokeGit) {
    const { notGit } = await import("./git_failure.ts");
    throw notGit(config, "decide");
  }
  return names;
}

/** The end of what Git said, for an error message. */
export function lastWords(finished: Finished): string[] {
  return finished.stderr.split("\n").map((line) => oneLine(line)).filter((
    line,
  ) => line !== "").slice(-6);
}
