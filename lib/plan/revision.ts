/**
 * Plans a revision of the repository with the stages of a run, in a separate
 * folder, up to the point where a run would begin to change the host.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { isRevision } from "../base/names.ts";
import type { Tip } from "../base/tip.ts";
import type { Config } from "../config/schema.ts";
import { isPattern } from "../config/tag_pattern.ts";
import { preflight, refuseFullBoot } from "../activation/preflight.ts";
import { fetchRevision } from "../git/fetch.ts";
import { localGit } from "../git/git.ts";
import { remoteOf } from "../git/sources.ts";
import { lockHolder } from "../host/running.ts";
import { systems } from "../host/system.ts";
import { build } from "../nix/build.ts";
import { decide, type Decision, targetOf } from "../run/decide.ts";
import { followedOf } from "../run/followed.ts";
import { misledOf } from "../run/misled.ts";
import { begin, Run } from "../run/run.ts";
import { describe } from "../run/commit.ts";
import { stopsOf } from "../run/stops.ts";
import { checkSecrets } from "../secrets/check.ts";
import { prove } from "../secrets/prove.ts";
import type { State, Target } from "../state/state.ts";
import { readState } from "../state/state_file.ts";
import { readSuspension } from "../state/suspension.ts";
import { ask } from "../sync/ask.ts";
import { refuseOtherMachine } from "../sync/machine.ts";
import { provenText, secretsText, verifiedText } from "../sync/describe.ts";
import { waitNow } from "../sync/waiting.ts";
import { verify } from "../trust/verify.ts";
import { aboutOf, type Aim, aimOf, wouldOf } from "./aim.ts";
import { commitsOf } from "./commits.ts";
import { dryActivate } from "./dry_activate.ts";
import type { DryWords } from "./dry_words.ts";
import type { Plan } from "./plan.ts";
import type { SecretChanges } from "./secrets.ts";
import { Scratch } from "./scratch.ts";
import { compareSecretFiles } from "./secret_files.ts";
import { compareSystems } from "./systems.ts";

/** What a person requests. */
export interface PlanRequest {
  /** A revision or another ref of the repository; none: the followed ref. */
  revision?: string;
  /** Whether to build. Without a build, units and packages are unknown. */
  build: boolean;
  /** Whether the dry activation can run, which needs root. */
  isRoot: boolean;
}

/** The parts of the plan that are known so far. */
interface Draft extends Partial<Plan> {
  notes: string[];
  refusals: SyncError[];
}

/**
 * Plans a sync of the current tip of the remote, or of another revision as if it
 * were the tip. Changes nothing on this host.
 *
 * @throws {SyncError} if the query or the fetch fails, or another plan is in
 * progress.
 */
export async function planRevision(
  effects: Effects,
  config: Config,
  request: PlanRequest,
): Promise<Plan> {
  const folder = config.stateDirectory;
  const known = waitNow(await readState(folder), effects.now());
  const named = request.revision === undefined
    ? config
    : { ...config, ref: await fullName(effects, folder, request.revision) };
  const { tip } = await ask(effects, named, known);
  // As if it were the followed ref: no testing branch on top of it.
  if (request.revision !== undefined) delete tip.testing;
  const at = await lockHolder(folder);
  const busy = at?.isRun ? at.holder : undefined;
  await using scratch = await Scratch.make(folder, effects.now());
  const { attempt: _, ...state } = known;
  const run = new Run(
    effects,
    { ...config, stateDirectory: scratch.folder },
    state,
  );
  run.remote = remoteOf(named, tip.servedBy);
  // Another ref is planned as it is, not an earlier revision that has soaked.
  const soaks = request.revision === undefined
    ? config
    : { ...config, "gates.soak": undefined };
  const decision = decisionOf(effects, soaks, state, tip);
  const aim = aimOf(config, tip, decision);
  const draft: Draft = { notes: [], refusals: await refusedHere(config) };
  await fill(run, draft, folder, aim, decision, request);
  const { refusals, ...rest } = draft;
  return {
    ...rest,
    host: config.host,
    target: targetOf(config),
    about: aboutOf(config, aim, request.revision !== undefined),
    would: wouldOf(decision, aim),
    revision: aim.tip.revision,
    isBuilt: request.build,
    stops: stopsOf({
      config,
      now: effects.now(),
      state,
      commit: run.state.attempt?.commit ?? aim.tip,
      target: aim.target,
      ...draft.after === undefined ? {} : { system: draft.after },
      decision,
      suspension: readSuspension(folder, effects.now()),
      busy,
      refusals,
    }),
  };
}

/** Completes an abbreviated hash with the mirror; returns other names unchanged. */
async function fullName(
  effects: Effects,
  folder: string,
  name: string,
): Promise<string> {
  if (isRevision(name) || !/^[0-9a-f]{7,63}$/.test(name)) return name;
  const command = localGit(`${folder}/repo`, [
    "rev-parse",
    "--verify",
    "--quiet",
    `${name}^{commit}`,
  ]);
  const { code, stdout } = await effects.run(command);
  const whole = new TextDecoder().decode(stdout).trim();
  return code === 0 && isRevision(whole) ? whole : name;
}

/** Returns the decision of a run, without windows, which are reported separately. */
function decisionOf(
  effects: Effects,
  config: Config,
  state: State,
  tip: Tip,
): Decision {
  const decision = decide({
    tip,
    state,
    target: targetOf(config),
    config: { ...config, "windows.deploy": [] },
    systems: systems(),
    ...misledOf(state.lastGood),
    now: effects.now(),
    force: false,
  });
  return decision.kind === "queued" ? decision.then : decision;
}

/** Returns what keeps every run from changing this machine. */
async function refusedHere({ machineId }: Config): Promise<SyncError[]> {
  if (machineId === undefined) return [];
  const refusal = await refusalOf(() => refuseOtherMachine(machineId));
  return refusal ? [refusal] : [];
}

/** Fills the draft as far as possible. */
async function fill(
  run: Run,
  draft: Draft,
  state: string,
  aim: Aim,
  decision: Decision,
  request: PlanRequest,
): Promise<void> {
  if (decision.kind === "nothing") return;
  await beginPlan(run, aim);
  const { target: { operation } } = aim;
  const compared = (system: string) =>
    compare(run, draft, state, system, operation, request);
  if (decision.kind === "correct" || decision.kind === "test-over") {
    return await compared(decision.deployment.system);
  }
  try {
    const system = await runStages(run, draft, aim, request);
    if (system !== undefined) await compared(system);
  } catch (error) {
    if (!isOfRevision(error)) throw error;
    draft.failure = error;
  }
}

/** Begins an attempt, because the stages record their progress in one. */
async function beginPlan(run: Run, { tip, target }: Aim): Promise<void> {
  const { revision, kind, base } = tip;
  const commit = { revision, subject: "", author: "", committedAt: "" };
  const name = isPattern(run.config.ref) ? { name: tip.name } : {};
  const testing = base === undefined
    ? {}
    : { testing: { base, ref: tip.name } };
  await begin(run, "sync", commit, target, { kind, ...name, ...testing });
}

/** Whether an error is about the revision; before the fetch there is no plan. */
function isOfRevision(error: unknown): error is SyncError {
  return error instanceof SyncError && error.reason !== "interrupted" &&
    !["decide", "fetch", "state", "lock"].includes(error.stage);
}

/**
 * Runs the stages of a run that do not change the host.
 *
 * @returns the built system, if a build was requested.
 */
async function runStages(
  run: Run,
  draft: Draft,
  { tip, target }: Aim,
  request: PlanRequest,
): Promise<string | undefined> {
  const refusal = await refusalOf(() => preflight(run));
  if (refusal) draft.refusals.push(refusal);
  const fetched = await run.stage(
    "fetch",
    () => fetchRevision(run, tip, target),
    ({ commit }) => describe(commit),
  );
  await run.note({ commit: fetched.commit });
  const base = tip.base ?? followedOf(run.state, target)?.revision ??
    run.state.lastGood?.revision;
  draft.commits = await commitsOf(run, fetched, base);
  const verified = await run.stage(
    "verify",
    () => verify(run, fetched),
    verifiedText,
  );
  draft.verified = verifiedText(verified);
  draft.secretFiles = await compareSecretFiles(
    run,
    verified,
    draft.commits.base,
  );
  if (!request.build) return undefined;
  // A build would use up the last free space.
  if (refusal && ["disk-low", "inodes-low"].includes(refusal.reason)) {
    draft.notes.push(`not built: ${refusal.message}`);
    return undefined;
  }
  const readable = await run.stage(
    "secrets",
    () => checkSecrets(run, verified),
    secretsText,
  );
  const built = await run.stage(
    "build",
    () => build(run, readable),
    ({ system }) => system,
  );
  const proven = await run.stage("prove", () => prove(run, built), provenText);
  return proven.system;
}

/** Compares the new system with the one that the operation replaces. */
async function compare(
  run: Run,
  draft: Draft,
  state: string,
  after: string,
  operation: Target["operation"],
  { isRoot }: PlanRequest,
): Promise<void> {
  const { running, bootDefault } = systems();
  const before = operation === "boot" ? bootDefault : running;
  const { effects, config } = run;
  Object.assign(
    draft,
    await compareSystems(effects, config, before, after, draft.notes),
  );
  if (before === after || operation === "build") return;
  const full = operation === "test"
    ? undefined
    : await refusalOf(() => refuseFullBoot(after));
  if (full) draft.refusals.push(full);
  if (operation === "boot") {
    draft.notes.push(
      "units: none changes before the next boot (operation: boot)",
    );
  } else if (!isRoot) {
    draft.notes.push(
      "units: unknown, because only root can run the dry activation; run plan with sudo",
    );
  } else {
    const asked = await dryActivate(run, state, before, after, draft.notes);
    if (asked.units) draft.units = asked.units;
    if (asked.words && draft.secrets) {
      draft.secrets = withDecrypted(draft.secrets, asked.words.secrets);
    }
  }
}

/**
 * The dry activation of sops-nix decrypts, so it reports which values differ. If
 * it reported nothing, it may not have run.
 */
function withDecrypted(
  secrets: SecretChanges,
  { add, modify, remove }: DryWords["secrets"],
): SecretChanges {
  if (add.length + modify.length + remove.length === 0) return secrets;
  const isOther = (name: string) => modify.includes(name);
  const told = [...secrets.added, ...secrets.removed, ...secrets.changed];
  const more = modify.filter((name) => !told.includes(name));
  return {
    ...secrets,
    changed: [...secrets.changed.filter(isOther), ...more].sort(),
    rekeyed: [
      ...secrets.changed.filter((name) => !isOther(name)),
      ...secrets.rekeyed.filter((name) => !isOther(name)),
    ].sort(),
  };
}

/** Returns the expected error of a function, if it throws one. */
async function refusalOf(
  look: () => void | Promise<void>,
): Promise<SyncError | undefined> {
  try {
    await look();
    return undefined;
  } catch (error) {
    if (error instanceof SyncError && error.reason !== "interrupted") {
      return error;
    }
    throw error;
  }
}
