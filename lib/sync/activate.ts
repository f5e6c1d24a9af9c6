/**
 * Makes the candidate the running system, with the way back prepared first.
 *
 * @module
 */
import { say } from "../base/effects.ts";
import { SyncError } from "../base/errors.ts";
import { short } from "../base/text.ts";
import { readSuspension } from "../host/suspension.ts";
import { hasSystemd, runningSystem, systems } from "../host/system.ts";
import {
  armTimer,
  deadMansSwitch,
  resetFailed,
  stopUnits,
  unitsIn,
} from "../tools/systemd.ts";
import type { Built } from "./build.ts";
import type { Run } from "./run.ts";
import { meaningOf, type Switched, switchTo } from "./switching.ts";

/** What {@linkcode activate} needs to know of a system. */
export type Candidate = Pick<Built, "system" | "commit" | "target">;

/** A candidate that runs, not yet trusted to stay. */
export interface Activated extends Candidate {
  readonly done: "activated";
  /** `kept`: it ran already. `later`: it waits for the next boot. */
  readonly how: "switched" | "kept" | "later";
  /** Units that had failed before, which nobody blames on the candidate. */
  readonly failedBefore: readonly string[];
}

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
  refuseIfSuspended(run);
  const previous = systems();
  await run.note({ candidate: system, previous });
  if (target.operation === "boot") {
    return { ...result, how: "later", failedBefore: [] };
  }
  if (previous.running === system) {
    return { ...result, how: "kept", failedBefore: [] };
  }
  const failedBefore = hasSystemd() ? await unitsIn(run.effects, "failed") : [];
  await arm(run, previous.running);
  await run.note({ touched: true });
  const switched = await switchTo(
    run,
    system,
    "test",
    run.config["timeouts.activate"],
  );
  const problem = judge(switched, runningSystem(), candidate, hasSystemd());
  if (problem) throw problem;
  return { ...result, how: "switched", failedBefore };
}

/**
 * A person may have said stop while the system was being built. A rollback is
 * a person's word too, and the later one.
 */
function refuseIfSuspended(run: Run): void {
  if (run.attempt.command === "rollback") return;
  if (!readSuspension(run.folder, run.effects.now())) return;
  throw new SyncError("The host was suspended while this was being built", {
    stage: "activate",
    reason: "suspended",
    next: "retry",
    exit: 0,
    hints: ["gitops-sync resume lets the next run activate it"],
  });
}

/**
 * Arms the dead-man's switch: systemd runs the previous system's own
 * activation unless {@linkcode disarm} comes first. It needs nothing of ours,
 * and leaves time for an activation, its health checks and the way back.
 */
async function arm(run: Run, previous: string | null): Promise<void> {
  if (!hasSystemd()) {
    return say(
      run.effects,
      "notice",
      "systemd does not run here: the dead-man's switch is off, and activation runs directly",
    );
  }
  if (previous === null) return;
  await disarm(run);
  const { config } = run;
  const ms = 2 * config["timeouts.activate"] + 2 * config["timeouts.health"];
  const finished = await run.effects.run(armTimer(
    deadMansSwitch,
    [`${previous}/bin/switch-to-configuration`, "test"],
    Math.ceil(ms / 1000),
  ));
  if (finished.code === 0) return;
  throw new SyncError("Cannot arm the dead-man's switch", {
    stage: "activate",
    reason: "not-armed",
    next: "retry",
    details: [finished.stderr.trim()],
    hints: ["look at: systemctl status; the host was not changed"],
  });
}

/** Disarms the dead-man's switch. */
export async function disarm(run: Run): Promise<void> {
  if (!hasSystemd()) return;
  // The timer alone: its service may be at work for a good reason.
  await run.effects.run(stopUnits(`${deadMansSwitch}.timer`));
  await run.effects.run(resetFailed(`${deadMansSwitch}.service`));
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
    // Another switch at work is no fault of this revision.
    next: code === 11 && !timedOut ? "retry" : "hold",
    details: switched.lines,
  });
}

function reasonOf({ code, timedOut }: Switched, isThere: boolean): string {
  if (timedOut) return "timed-out";
  if (code === 100) return "needs-reboot";
  if (code === 11) return "switch-locked";
  if (code === 4) return "units-failed";
  if (code === 2) return "activation-script-failed";
  return isThere ? "switch-failed" : "not-switched";
}
