/**
 * Makes the candidate the running system, with the way back prepared first.
 *
 * @module
 */
import { say } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { short } from "../base/text.ts";
import { hasSystemd, runningSystem, systems } from "../host/system.ts";
import { addRoot } from "../nix/store.ts";
import { arm } from "./dead_mans_switch.ts";
import { healthBefore, nothingBefore } from "./health.ts";
import { refuseSuspended } from "../run/not_now.ts";
import { refuseFullBoot } from "./preflight.ts";
import type { Run } from "../run/run.ts";
import { meaningOf, needsReboot, switchLocked, switchTo } from "./switching.ts";
import { Activated, Candidate } from "../run/stages.ts";
import type { Switched } from "../run/outside.ts";

/**
 * Activates the candidate, without touching what a reboot starts.
 *
 * @throws {SyncError} exit 7; the caller puts the previous system back.
 */
export async function activate(
  run: Run,
  candidate: Candidate,
): Promise<Activated> {
  const { system, commit, target } = candidate;
  const result = { system, commit, target, done: "activated" as const };
  // The host's own commands have run since it was looked.
  refuseSuspended(run);
  if (target.operation !== "test") refuseFullBoot(system);
  const previous = systems();
  await run.note({ candidate: system, previous });
  await protectPrevious(run, previous.running);
  if (target.operation === "boot") {
    return { ...result, how: "later", before: nothingBefore };
  }
  const before = await healthBefore(run.effects);
  if (previous.running === system) return { ...result, how: "kept", before };
  await arm(run, previous.running);
  await run.note({ touched: true, failedBefore: before.failed });
  const switched = await switchTo(
    run,
    system,
    "test",
    run.config["timeouts.activate"],
  );
  const problem = judge(switched, runningSystem(), candidate, hasSystemd());
  if (problem) throw problem;
  return { ...result, how: "switched", before };
}

/**
 * Keeps the way back from garbage collection: once the candidate runs and is
 * the boot default, nothing else does. The next attempt lets go of it.
 */
async function protectPrevious(
  run: Run,
  previous: string | null,
): Promise<void> {
  if (previous === null) return;
  const finished = await run.effects.run(
    addRoot(`${run.folder}/previous`, previous),
  );
  if (finished.code === 0) return;
  const text =
    `Cannot protect ${previous} from garbage collection: ${finished.stderr.trim()}`;
  say(run.effects, "warning", text);
}

/**
 * Judges an activation by where the host stands, and only then by its code.
 *
 * @param hasUnits Whether health can look at units itself, so that code 4
 * ("switched, but a unit failed", perhaps one that failed before) is left to it.
 */
export function judge(
  switched: Switched,
  running: string | null,
  { system, commit }: Pick<Candidate, "system" | "commit">,
  hasUnits: boolean,
): SyncError | undefined {
  const { code, timedOut } = switched;
  const isThere = running === system;
  if (isThere && !timedOut && (code === 0 || (code === 4 && hasUnits))) {
    return undefined;
  }
  const why = code === 0 && !timedOut
    ? "it ended without an error, but another system runs"
    : meaningOf(switched);
  return new SyncError(`Cannot activate ${short(commit.revision)}: ${why}`, {
    stage: "activate",
    reason: reasonOf(switched, isThere),
    // Another switch at work is no fault of this revision, nor is systemd.
    next: switched.isUnstarted || (code === switchLocked && !timedOut)
      ? "retry"
      : "hold",
    details: switched.lines,
    hints: code === needsReboot && !timedOut
      ? ["with operation: boot it is deployed by the next reboot"]
      : [],
  });
}

function reasonOf({ code, timedOut }: Switched, isThere: boolean): string {
  if (timedOut) return "timed-out";
  if (code === needsReboot) return "needs-reboot";
  if (code === switchLocked) return "switch-locked";
  if (code === 4) return "units-failed";
  if (code === 2) return "activation-script-failed";
  return isThere ? "switch-failed" : "not-switched";
}
