/**
 * Checks whether the next commit can arrive with this configuration: everything
 * that a run needs before it builds. Changes nothing.
 *
 * @module
 */
import { type Effects, say } from "../base/effects.ts";
import { SyncError, usageError } from "../base/errors.ts";
import { short } from "../base/text.ts";
import type { Tip } from "../base/tip.ts";
import type { Config } from "../config/schema.ts";
import { tokenProblem } from "../git/credentials.ts";
import { remotesOf } from "../git/sources.ts";
import { has } from "../git/mirror.ts";
import { privateKeyProblem } from "../keys/private_key.ts";
import { targetOf } from "../run/decide.ts";
import { followedAfter } from "../run/followed.ts";
import { refuseUnlessEvaluates } from "../nix/probe.ts";
import { Run } from "../run/run.ts";
import type { Verified } from "../run/stages.ts";
import { checkSecrets } from "../secrets/check.ts";
import { readIdentity } from "../secrets/identities.ts";
import type { Attempt, Commit, State } from "../state/state.ts";
import { readState } from "../state/state_file.ts";
import { needsTag } from "../trust/refusals.ts";
import { checkSignatures } from "../trust/signed.ts";
import { keysAreThere } from "../trust/trusted_keys.ts";
import { ask } from "./ask.ts";

/** What was checked. */
export interface Ready {
  /** The tip of the ref. */
  tip: Tip;
  /** The revision whose signatures and secrets were checked, if there is one. */
  revision?: string;
}

/**
 * Queries the remote. Checks that this host can evaluate, and that the
 * credentials, the trusted keys and the secrets of this configuration work for a
 * revision that this host has fetched.
 *
 * @param from The state folder that has the revision in its mirror.
 * @param wanted The revision; the default is the one that was deployed last.
 * @throws {SyncError} the problem that would stop the next commit.
 */
export async function ready(
  effects: Effects,
  config: Config,
  from: string,
  wanted?: string,
): Promise<Ready> {
  await refuseBadFiles(effects, config);
  await refuseNoKey(effects, config);
  await refuseUnlessEvaluates(effects, config);
  const known = await readState(from);
  const { tip } = await ask(effects, config, known);
  const revision = wanted ?? known.lastGood?.revision;
  if (revision === undefined) return { tip };
  await checkRevision(effects, config, from, known, revision, tip);
  return { tip, revision };
}

/**
 * Checks the files of the credentials: Git reads some of them only when a server
 * asks for them.
 *
 * @throws {SyncError} `credentials`, stage `decide`.
 */
export async function refuseBadFiles(
  effects: Effects,
  config: Config,
): Promise<void> {
  const [repository, ...mirrors] = remotesOf(config);
  const trouble = await fileTrouble(effects, repository!);
  if (trouble) throw badFile(trouble);
  for (const mirror of mirrors) {
    // The next commit arrives without a mirror, if the repository answers.
    const trouble = await fileTrouble(effects, mirror);
    if (!trouble) continue;
    const text = `Cannot query the mirror ${mirror.repository}: ${trouble}`;
    say(effects, "warning", text);
  }
}

/** Returns the problem of the files that a URL needs. */
async function fileTrouble(
  effects: Effects,
  config: Config,
): Promise<string | undefined> {
  const { tokenFile, sshKeyFile } = config;
  const trouble = tokenFile && tokenProblem(tokenFile) ||
    sshKeyFile && await privateKeyProblem(effects, sshKeyFile, "sshKeyFile");
  if (trouble) return trouble;
  for (const name of ["knownHosts", "tls.certFile", "tls.keyFile"] as const) {
    const path = config[name];
    if (path === undefined) continue;
    try {
      Deno.readTextFileSync(path);
    } catch (error) {
      const why = (error as Error).message;
      return `${path} (${name}) cannot be read: ${why}`;
    }
  }
  return undefined;
}

/**
 * Refuses a host without a working key for secrets. One working key is enough.
 *
 * @throws {SyncError} `identity-unreadable`, exit 5.
 */
export async function refuseNoKey(
  effects: Effects,
  config: Config,
): Promise<void> {
  if (!config["secrets.check"]) return;
  let first: unknown;
  for (const path of config["secrets.identities"] ?? []) {
    try {
      await readIdentity(effects, path);
      return;
    } catch (error) {
      if (!(error instanceof SyncError)) throw error;
      first ??= error;
    }
  }
  if (first) throw first;
}

function badFile(trouble: string): SyncError {
  return new SyncError(`Cannot query the repository: ${trouble}`, {
    stage: "decide",
    reason: "credentials",
    next: "retry",
  });
}

/** Checks one revision as a run does if it is deployed already. */
async function checkRevision(
  effects: Effects,
  config: Config,
  from: string,
  known: State,
  revision: string,
  tip: Tip,
): Promise<void> {
  const mirror = `${from}/repo`;
  const state = asDeployed(config, known, revision, tip);
  const run = new Run(effects, config, state);
  if (!await has(run, mirror, revision)) {
    throw usageError(
      "unknown-revision",
      `Cannot check ${short(revision)}: it is not in ${mirror}`,
      "Name a commit that this host has fetched: `gitops-sync history` lists them.",
    );
  }
  const { commit, target } = state.attempt!;
  const isSame = isSameRef(known.attempt ?? known.lastGood, config);
  const ofTag = config["verify.mode"].startsWith("tag");
  const verified: Verified = {
    done: "verified",
    commit,
    target,
    tip: { ...tip, revision },
    mirror,
    forward: "unknown",
  };
  if (ofTag && !isSame) {
    // The tag of another ref arrives with the run that fetches it.
    if (tip.kind !== "tag") throw needsTag(run, tip.kind);
    await keysAreThere(run, mirror, revision);
  } else {
    await checkSignatures(run, { ...verified, done: "fetched" });
  }
  await checkSecrets(run, verified);
}

function isSameRef(
  before: Pick<Attempt, "target"> | undefined,
  { repository, ref }: Config,
): boolean {
  return before?.target.repository === repository && before.target.ref === ref;
}

/**
 * Returns the state after the revision is confirmed, with which the next run
 * begins. It omits the signers, so that the keys of this configuration check it
 * again.
 */
function asDeployed(
  config: Config,
  known: State,
  revision: string,
  tip: Tip,
): State {
  const { attempt: under, lastGood } = known;
  const old: Commit | undefined = [under?.commit, lastGood]
    .find((one) => one?.revision === revision);
  const { subject = "", author = "", committedAt = "" } = old ?? {};
  const commit = { revision, subject, author, committedAt };
  const target = targetOf(config);
  const { repository, ref } = target;
  const now = { repository, ref, revision, kind: tip.kind };
  const at = new Date().toISOString();
  return {
    ...known,
    lastGood: { ...commit, target, system: lastGood?.system ?? "", at },
    followed: followedAfter(known, now),
    attempt: {
      id: "ready",
      command: "sync",
      commit,
      target,
      startedAt: at,
      stage: "verify",
      bootId: "",
    },
  };
}
