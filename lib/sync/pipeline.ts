/**
 * One run, from the revision to the confirmed system, as a list of stages. Each
 * stage takes only the result of the one before it.
 *
 * @module
 */
import { exitCodes, SyncError } from "../base/errors.ts";
import { short } from "../base/text.ts";
import { protect } from "../activation/protect.ts";
import { bootClock } from "../host/boot_clock.ts";
import { waitFor } from "../run/approval.ts";
import { asideReason, shortName } from "../run/testing.ts";
import type { Deployment, Gated, Target, Waiting } from "../state/state.ts";
import { activate } from "../activation/activate.ts";
import { build } from "../nix/build.ts";
import { confirm } from "../activation/confirm.ts";
import { holdOf } from "../run/decide.ts";
import {
  activatedText,
  provenText,
  secretsText,
  verifiedText,
} from "./describe.ts";
import { fetchRevision } from "../git/fetch.ts";
import { blame } from "../activation/blame.ts";
import { checkHealth } from "../activation/health.ts";
import { checkNextCommit } from "../activation/next_commit.ts";
import { beforeDeploy } from "../activation/hooks.ts";
import { refuseOutside, refuseSuspended } from "../run/not_now.ts";
import { preflight } from "../activation/preflight.ts";
import { prove } from "../secrets/prove.ts";
import type { Run } from "../run/run.ts";
import type { Known } from "../run/same.ts";
import { hasLock } from "../run/slot.ts";
import { checkSecrets } from "../secrets/check.ts";
import { rollBack } from "../activation/undo.ts";
import type { TakenSlot } from "../locks/take.ts";
import { verify } from "../trust/verify.ts";
import { passGates } from "../gates/pass.ts";
import type { Candidate, Fetched, Proven } from "../run/stages.ts";
import { describe } from "../run/commit.ts";
import type { Tip } from "../base/tip.ts";

/**
 * Deploys the revision of `tip`.
 *
 * @returns the new deployment; with the operation `build`, the built system; or
 * what waits for approval, or what gates hold back.
 * @throws {SyncError} with the host in its earlier state, unless its exit code
 * is 8.
 */
export async function deploy(
  run: Run,
  tip: Tip,
  target: Target,
): Promise<Deployment | Proven | Waits | { gated: Gated }> {
  await run.stage(
    "preflight",
    () => preflight(run),
    () => "no problem found",
  );
  const fetched = await run.stage(
    "fetch",
    () => fetchRevision(run, tip, target),
    ({ commit }) => describe(commit),
  );
  await run.note({ commit: fetched.commit });
  refuseAside(run, fetched);
  refuseIfHeld(run, fetched.commit, target);
  const verified = await run.stage(
    "verify",
    () => verify(run, fetched),
    verifiedText,
  );
  await run.note({ commit: verified.commit });
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
  const proven = await run.stage(
    "prove",
    () => prove(run, built),
    provenText,
  );
  if (target.operation === "build") return proven;
  refuseSuspended(run);
  const waits = await waitsFor(run, proven);
  if (waits) return waits;
  refuseOutside(run);
  const passed = await passGates(run, proven);
  if ("gated" in passed) return passed;
  return await putInPlace(run, passed);
}

/**
 * Activates a system, checks the host's health, and confirms it, or rolls back to
 * the previous system.
 */
export async function putInPlace(
  run: Run,
  candidate: Candidate,
): Promise<Deployment> {
  using slot = await slotFor(run, candidate);
  try {
    const activated = await run.stage(
      "activate",
      async () => {
        await beforeDeploy(run, candidate);
        await slot?.keep();
        return await activate(run, candidate);
      },
      ({ how }) => activatedText[how],
    );
    const healthy = await run.stage(
      "health",
      async () => {
        const healthy = await checkHealth(run, activated);
        // Only a new system is checked for the next commit.
        const next = candidate.done === "cleared"
          ? await checkNextCommit(run, activated)
          : undefined;
        return next
          ? { ...healthy, checked: `${healthy.checked}, ${next}` }
          : healthy;
      },
      ({ checked }) => checked,
    );
    return await run.stage(
      "confirm",
      () => confirm(run, healthy),
      ({ target }) =>
        target.operation === "test"
          ? "until the next reboot"
          : "a reboot starts it too",
    );
  } catch (error) {
    throw await blame(run, await rollBack(run, error));
  }
}

/** Takes a slot of the fleet if one is needed; a rollback needs none. */
async function slotFor(
  run: Run,
  { commit: { revision } }: Candidate,
): Promise<TakenSlot | undefined> {
  if (run.attempt.left || !hasLock(run.config)) return undefined;
  const { takeSlot } = await import("../locks/take.ts");
  return await run.stage(
    "slot",
    () => takeSlot(run, { use: "switch", revision }),
    () => `one of the group ${run.config["lock.group"]}`,
  );
}

/** A built revision, and what it waits for. */
export interface Waits {
  waiting: Waiting;
  /** When it is deployed without approval; `null`: never. */
  until: string | null;
}

/** Returns what a built system waits for, and protects it from garbage collection. */
async function waitsFor(
  run: Run,
  { commit, target, system }: Proven,
): Promise<Waits | undefined> {
  const now = run.effects.now();
  const wait = waitFor(run.config, run.state, commit, target, now, system);
  if (!wait) return undefined;
  const since = now.toISOString();
  const waiting = wait.waiting ??
    { ...commit, target, system, since, clock: bootClock() };
  const { lastGood, earlier, testing } = run.state;
  await protect(
    run,
    [lastGood, testing?.deployment, ...earlier, waiting]
      .filter((one) => one !== undefined),
  );
  return { waiting, until: wait.until };
}

/**
 * Refuses a testing branch that is not based on the followed ref, before anything
 * of it is evaluated.
 *
 * @throws {SyncError} `testing-aside`, exit 0.
 */
function refuseAside(run: Run, { tip, commit, forward }: Fetched): void {
  if (tip.base === undefined || forward === "yes") return;
  throw new SyncError(
    `${shortName(tip.name)} is at ${
      short(commit.revision)
    }, which does not descend from ${run.config.ref} at ${
      short(tip.base)
    }: it is not deployed`,
    {
      stage: "fetch",
      reason: asideReason,
      next: "stop",
      exit: exitCodes.ok,
      hints: [`Rebase it on ${run.config.ref}, and push it.`],
    },
  );
}

/** Refuses a blocked revision: the ref may have moved since the query. */
function refuseIfHeld(run: Run, commit: Known, target: Target): void {
  const { revision } = commit;
  const hold = holdOf(run.state, commit, target, run.config);
  if (!hold) return;
  throw new SyncError(`${short(revision)} is blocked: ${hold.message}`, {
    stage: hold.stage,
    reason: hold.reason,
    // It is blocked already, and keeps its reason.
    next: "stop",
    hints: hold.hints,
    exit: 9,
  });
}
