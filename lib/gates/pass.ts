/**
 * The stage between build and activation: the gates.
 *
 * @module
 */
import { count } from "../base/text.ts";
import { protect } from "../activation/protect.ts";
import { closedOf, gatedFor, gateNames } from "../run/gates.ts";
import { refuseOutside, refuseSuspended } from "../run/not_now.ts";
import type { Run } from "../run/run.ts";
import type { Cleared, Proven } from "../run/stages.ts";
import type { Gated } from "../state/state.ts";
import type { Subject } from "./answer.ts";
import { checkGates } from "./look.ts";

/**
 * Checks the gates. Without gates there is no such stage.
 *
 * @returns the blocked revision, protected from garbage collection, or the same
 * system if it may be activated.
 * @throws {SyncError} `suspended` or `outside-window`, exit 0: the check may
 * have taken a while.
 */
export async function passGates(
  run: Run,
  proven: Proven,
): Promise<Cleared | { gated: Gated }> {
  const cleared: Cleared = { ...proven, done: "cleared" };
  const subject = subjectOf(run, proven);
  if (gateNames(run.config, subject.isTest).length === 0) return cleared;
  const { gated } = await run.stage(
    "gates",
    () => checkGates(run, subject, knownOf(run, subject)),
    ({ gates, gated }) =>
      gated
        ? `${closedOf(gated).length} of ${count(gates.length, "gate")} closed`
        : `${count(gates.length, "gate")} open`,
  );
  if (!gated) {
    await forgetClosed(run, subject);
    refuseSuspended(run);
    refuseOutside(run);
    return cleared;
  }
  const { lastGood, earlier, testing } = run.state;
  await protect(
    run,
    [lastGood, testing?.deployment, ...earlier, gated]
      .filter((one) => one !== undefined),
  );
  return { gated };
}

/**
 * Removes an earlier closed result. The revision may now wait for something
 * else, and must not seem to wait for its gates.
 */
async function forgetClosed(
  run: Run,
  { commit, target, isTest }: Subject,
): Promise<void> {
  if (!gatedFor(run.config, run.state, commit, target, isTest)) return;
  const { gated: _, ...state } = run.state;
  await run.replace(state);
}

function subjectOf(
  { attempt }: Run,
  { commit, target, system }: Proven,
): Subject {
  return { commit, target, system, isTest: attempt.testing !== undefined };
}

/** Returns the earlier result, unless it is about another built system. */
function knownOf(
  { config, state }: Run,
  { commit, target, system, isTest }: Subject,
): Gated | undefined {
  const known = gatedFor(config, state, commit, target, isTest);
  return known?.system === system ? known : undefined;
}
