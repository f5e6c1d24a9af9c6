/**
 * Plans a revision of the repository: by the stages of a run, in a folder of its
 * own, up to the point where a run would begin to change the host.
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

/** What a person asks for. */
export interface PlanWish {
  /** A revision or another name of the repository; none: what is followed. */
  revision?: string;
  /** Whether to build: without that no units and packages are known. */
  build: boolean;
  /** Whether the units of this host may be asked, which takes root. */
  isRoot: boolean;
}

/** The parts of the plan as they come to be known. */
interface Draft extends Partial<Plan> {
  notes: string[];
  refusals: SyncError[];
}

/**
 * Plans what a sync would do with what the remote names now, or with another
 * revision as if it were named. Changes nothing on this host.
 *
 * @throws {SyncError} where the remote can't be asked or fetched from, and
 * where another plan is at work.
 */
export async function planRevision(
  effects: Effects,
  config: Config,
  wish: PlanWish,
): Promise<Plan> {
  const folder = config.stateDirectory;
  const known = waitNow(await readState(folder), effects.now());
  const named = wish.revision === undefined
    ? config
    : { ...config, ref: await wholeName(effects, folder, wish.revision) };
  const { tip } = await ask(effects, named, known);
  // As if that were what is followed: nothing is tried out on top of it.
  if (wish.revision !== undefined) delete tip.testing;
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
  // Another name is planned as it is, and not what has soaked before it.
  const soaks = wish.revision === undefined
    ? config
    : { ...config, "gates.soak": undefined };
  const decision = decisionOf(effects, soaks, state, tip);
  const aim = aimOf(config, tip, decision);
  const draft: Draft = { notes: [], refusals: await refusedHere(config) };
  await fill(run, draft, folder, aim, decision, wish);
  const { refusals, ...rest } = draft;
  return {
    ...rest,
    host: config.host,
    target: targetOf(config),
    about: aboutOf(config, aim, wish.revision !== undefined),
    would: wouldOf(decision, aim),
    revision: aim.tip.revision,
    isBuilt: wish.build,
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

/** A hash that is cut short, as the mirror knows it; any other name as it is. */
async function wholeName(
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

/** What a run decides; what only stops it is told by itself. */
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

/** What keeps every run from changing this machine. */
async function refusedHere({ machineId }: Config): Promise<SyncError[]> {
  if (machineId === undefined) return [];
  const refusal = await refusalOf(() => refuseOtherMachine(machineId));
  return refusal ? [refusal] : [];
}

/** Fills the draft, as far as it goes. */
async function fill(
  run: Run,
  draft: Draft,
  state: string,
  aim: Aim,
  decision: Decision,
  wish: PlanWish,
): Promise<void> {
  if (decision.kind === "nothing") return;
  await beginPlan(run, aim);
  const { target: { operation } } = aim;
  const compared = (system: string) =>
    compare(run, draft, state, system, operation, wish);
  if (decision.kind === "correct" || decision.kind === "test-over") {
    return await compared(decision.deployment.system);
  }
  try {
    const system = await throughStages(run, draft, aim, wish);
    if (system !== undefined) await compared(system);
  } catch (error) {
    if (!isOfRevision(error)) throw error;
    draft.failure = error;
  }
}

/** The stages note how far they are; nobody reads that of a plan. */
async function beginPlan(run: Run, { tip, target }: Aim): Promise<void> {
  const { revision, kind, base } = tip;
  const commit = { revision, subject: "", author: "", committedAt: "" };
  const name = isPattern(run.config.ref) ? { name: tip.name } : {};
  const testing = base === undefined
    ? {}
    : { testing: { base, ref: tip.name } };
  await begin(run, "sync", commit, target, { kind, ...name, ...testing });
}

/** Without the commits there is nothing to show. */
function isOfRevision(error: unknown): error is SyncError {
  return error instanceof SyncError && error.reason !== "interrupted" &&
    !["decide", "fetch", "state", "lock"].includes(error.stage);
}

/**
 * Does what a run does before it changes the host.
 *
 * @returns the system that was built, if it was to be.
 */
async function throughStages(
  run: Run,
  draft: Draft,
  { tip, target }: Aim,
  wish: PlanWish,
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
  if (!wish.build) return undefined;
  // What there is no room for would take the last of it.
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

/** Compares with the system that the operation replaces. */
async function compare(
  run: Run,
  draft: Draft,
  state: string,
  after: string,
  operation: Target["operation"],
  { isRoot }: PlanWish,
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
      "units: none is touched before the next boot (operation: boot)",
    );
  } else if (!isRoot) {
    draft.notes.push(
      "units: only root may ask the switch of a system what it would do",
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
 * The dry activation of sops-nix decrypts, and so tells which values are other
 * ones. Where it said nothing at all, perhaps it was not run.
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

/** The error that something ends with, if it is one that was foreseen. */
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
