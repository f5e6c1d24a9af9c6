/**
 * The rollback to an earlier good system, by a person.
 *
 * @module
 */
import { isLeft, rollbackTarget } from "../state/rollback_target.ts";
import { exists } from "@std/fs";
import type { Effects } from "../base/effects.ts";
import { SyncError, usageError } from "../base/errors.ts";
import { count, short } from "../base/text.ts";
import type { Config } from "../config/schema.ts";
import { takeLock } from "../host/lock.ts";
import { systems } from "../host/system.ts";
import { commitOf } from "../run/commit.ts";
import { askedClosed, gateNames } from "../run/gates.ts";
import { runningTest } from "../run/testing.ts";
import type { Deployment, State, Wish } from "../state/state.ts";
import { refuseOtherMachine } from "./machine.ts";
import { attemptPut } from "./attempt.ts";
import { recordWithHooks } from "../activation/hooks.ts";
import type { Outcome } from "./outcome.ts";
import { recoverFirst } from "./recover.ts";
import { isDeferred } from "./starting.ts";
import type { Record } from "../run/run.ts";
import { readState } from "../state/state_file.ts";

/**
 * Rolls the host back under the lock. The revision that it leaves, those that it
 * skips and the tip of the ref are blocked. If a test runs, the rollback ends
 * only the test.
 *
 * @param to The beginning of a revision, at least 4 digits; the default is the
 * newest earlier one that is not blocked.
 * @param stays Who wants the host to stay there until `resume`; otherwise it
 * follows the next commit.
 * @param skipped Who wants to skip the gates.
 * @throws {SyncError} `gate-closed`, exit 6; `no-earlier`, `unknown-revision`, `ambiguous-revision`
 * or `system-gone`, exit 2; those of a lock or a state that can't be used.
 */
export async function rollBack(
  effects: Effects,
  config: Config,
  to: string | undefined,
  recordOnly: Record,
  stays?: Wish,
  skipped?: Wish,
): Promise<Outcome> {
  const record: Record = (run, ended) =>
    recordWithHooks(recordOnly, run, ended);
  const folder = config.stateDirectory;
  using _lock = await takeLock(folder, "rollback", effects.now().getTime());
  if (config.machineId !== undefined) refuseOtherMachine(config.machineId);
  if (await isDeferred(effects)) return { result: "starting" };
  const state = await recoverFirst(
    effects,
    config,
    await readState(folder),
    record,
  );
  const isTest = runningTest(state, systems()) !== undefined;
  const deployment = to === undefined && isTest && state.lastGood
    ? state.lastGood
    : choose(state, to);
  if (!await exists(deployment.system)) throw gone(deployment);
  if (!skipped) await refuseClosed(effects, config, state, deployment);
  const named = [state.lastGood?.revision, state.seen?.revision]
    .filter((revision) => revision !== undefined);
  const left = [...new Set([...named, ...passed(state, deployment)])]
    .filter((revision) => revision !== deployment.revision);
  return await attemptPut(effects, config, state, deployment, record, {
    revisions: left,
    ...stays && { stays },
  }, skipped);
}

/**
 * Checks every gate except soak before a rollback: a gate may stand for work that
 * the host must finish before any change.
 *
 * @throws {SyncError} `gate-closed`, exit 6.
 */
async function refuseClosed(
  effects: Effects,
  configured: Config,
  state: State,
  deployment: Deployment,
): Promise<void> {
  const config = { ...configured, "gates.soak": undefined };
  if (gateNames(config).length === 0) return;
  const { checkGates } = await import("../gates/look.ts");
  const { system, target } = deployment;
  const commit = commitOf(deployment);
  const subject = { commit, target, system, isTest: false };
  const { gated } = await checkGates({ effects, config, state }, subject);
  if (!gated) return;
  const found = askedClosed(gated).map(({ name, why }) => `${name}: ${why}`);
  throw new SyncError(
    `Cannot roll back to ${short(deployment.revision)}: ${found.join("; ")}`,
    {
      stage: "gates",
      reason: "gate-closed",
      next: "stop",
      hints: [
        "In an emergency, run `gitops-sync rollback --skip-gates --reason TEXT`. The host was not changed.",
      ],
    },
  );
}

/**
 * Returns the revisions between the current one and the target of a rollback: the
 * next rollback goes back further. Those that are blocked already stay as they are.
 */
function passed(
  { earlier, holds }: Pick<State, "earlier" | "holds">,
  { system }: Deployment,
): string[] {
  const at = earlier.findIndex((one) => one.system === system);
  return earlier.slice(0, Math.max(at, 0)).map(({ revision }) => revision)
    .filter((revision) => !isLeft(holds, revision));
}

/** Returns the good system that a person means. */
export function choose(
  { lastGood, earlier, holds }: Pick<State, "lastGood" | "earlier" | "holds">,
  to: string | undefined,
): Deployment {
  if (to === undefined) {
    const before = rollbackTarget({ earlier, holds });
    if (before) return before;
    throw usageError(
      "no-earlier",
      "Cannot roll back: there is no earlier good system",
      earlier.length > 0
        ? `You rolled back from every kept system. Run \`gitops-sync rollback --to REVISION\` to return to one of these: ${
          namesOf(earlier)
        }`
        : "Run `gitops-sync sync --drift correct` to undo a switch by hand.",
    );
  }
  const all = lastGood ? [lastGood, ...earlier] : earlier;
  const found = to.length < 4
    ? []
    : all.filter(({ revision }) => revision.startsWith(to.toLowerCase()));
  if (found.length === 0) {
    throw usageError(
      "unknown-revision",
      `Cannot roll back to ${to}: no good system of that revision is kept`,
      all.length === 0
        ? "Run `gitops-sync sync` first: nothing is deployed on this host yet."
        : `Choose one of these: ${namesOf(all)}`,
    );
  }
  const revisions = new Set(found.map(({ revision }) => revision));
  if (revisions.size > 1) {
    throw usageError(
      "ambiguous-revision",
      `Cannot roll back to ${to}: ${
        count(revisions.size, "revision")
      } begin with it`,
      `Type more digits. Choose one of these: ${namesOf(all)}`,
    );
  }
  return found[0]!;
}

function namesOf(deployments: readonly Deployment[]): string {
  return deployments.map(({ revision, subject }) =>
    `${short(revision)} "${subject}"`
  ).join(", ");
}

function gone({ system, revision }: Deployment): SyncError {
  return usageError(
    "system-gone",
    `Cannot roll back to ${
      short(revision)
    }: ${system} is no longer in the store`,
    "Choose another revision (`gitops-sync history` lists them), or revert the commit in Git and push.",
  );
}
