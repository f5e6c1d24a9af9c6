/**
 * Makes the candidate the running system, with the way back prepared first.
 *
 * @module
 */
import { say } from "../base/effects.ts";
import { type ExitCode, exitCodes, SyncError } from "../base/errors.ts";
import { short } from "../base/text.ts";
import {
  hasSystemd,
  runningSystem,
  type Systems,
  systems,
} from "../host/system.ts";
import { addRoot } from "../nix/store.ts";
import { arm } from "./dead_mans_switch.ts";
import { standingNow } from "./health.ts";
import { runHostCommand } from "./host_command.ts";
import { refuseSuspended } from "../run/not_now.ts";
import { refuseFullBoot } from "./preflight.ts";
import type { Run } from "../run/run.ts";
import {
  isLocked,
  meaningOf,
  refusedBy,
  switchTo,
  wantsReboot,
} from "./switching.ts";
import { Activated, Candidate } from "../run/stages.ts";
import { noStanding } from "../run/standing.ts";
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
  const found = wayBackFrom(system, systems());
  // A system that was found unfit is no way back, and is not kept as it is.
  const isUnfit = found.running !== null && found.running === run.state.unfit;
  const previous = isUnfit ? { ...found, running: null } : found;
  await run.note({ candidate: system, previous });
  await protectPrevious(run, previous.running);
  if (target.operation === "boot") {
    return { ...result, how: "later", before: noStanding };
  }
  const before = await standingNow(run.effects);
  if (previous.running === system) return { ...result, how: "kept", before };
  if (runningSystem() === system && !isUnfit) {
    // Nobody knows what ran before it, and what fails now may be its fault.
    await arm(run, previous.running);
    await run.note({ touched: true });
    return { ...result, how: "kept", before: noStanding };
  }
  const { failed, ran } = before.units;
  if (ran.has(logind)) await refuseSilentLogind(run);
  await arm(run, previous.running);
  await run.note({
    touched: true,
    failedBefore: [...failed],
    ranBefore: [...ran.keys()],
  });
  const switched = await switchTo(
    run,
    system,
    "test",
    run.config["timeouts.activate"],
  );
  const problem = judge(switched, runningSystem(), candidate, hasSystemd());
  if (problem) throw problem;
  const from = previous.running;
  return {
    ...result,
    how: "switched",
    before,
    switched: { ...switched, from },
  };
}

const logind = "systemd-logind.service";

/**
 * A switch asks logind for the users when it has stopped units already. Where
 * that does not answer, neither the switch nor the way back comes to its end.
 *
 * @throws {SyncError} `logind-silent`, exit 6: the host was not changed.
 */
async function refuseSilentLogind(run: Run): Promise<void> {
  const argv = ["loginctl", "list-users", "--no-legend"];
  const failure = await runHostCommand(run, argv, {}, 30_000);
  if (!failure) return;
  throw new SyncError("Cannot switch: logind does not answer", {
    stage: "activate",
    reason: "logind-silent",
    next: "retry",
    exit: exitCodes.build,
    details: [failure.text, ...failure.details],
    hints: [
      `Check logind: \`systemctl status ${logind}\`. The host was not changed.`,
    ],
  });
}

/**
 * Where a failure leads back to. A candidate that runs already, and that a
 * reboot does not start, was never confirmed: then it is the boot default.
 */
function wayBackFrom(candidate: string, now: Systems): Systems {
  const { running, bootDefault } = now;
  return running === candidate && bootDefault !== null
    ? { running: bootDefault, bootDefault }
    : now;
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
 * ("switched, but a unit could not be handled", perhaps one that was not well
 * before) is left to it.
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
    ? "it ended without an error, but another system is running"
    : meaningOf(switched);
  return new SyncError(`Cannot activate ${short(commit.revision)}: ${why}`, {
    stage: "activate",
    reason: reasonOf(switched, isThere),
    exit: exitOf(switched),
    // Another switch at work is no fault of this revision, nor is systemd.
    next: switched.isUnstarted || isLocked(switched) ? "retry" : "hold",
    details: switched.lines,
    hints: hintsFor(switched),
  });
}

function hintsFor(switched: Switched): string[] {
  if (wantsReboot(switched)) {
    return ["Set `operation: boot` to deploy it at the next reboot."];
  }
  if (isLocked(switched)) {
    return [
      "Find the other switch with `fuser -v /run/nixos/switch-to-configuration.lock`. The next run tries again.",
    ];
  }
  return refusedBy(switched) === undefined ? [] : [
    "Fix what the check reports, then run `gitops-sync retry`.",
  ];
}

/** Where nothing was switched, nothing is said to run again. */
function exitOf(switched: Switched): ExitCode {
  if (isLocked(switched)) return exitCodes.locked;
  if (wantsReboot(switched)) return exitCodes.needsReboot;
  return refusedBy(switched) === undefined
    ? exitCodes.rolledBack
    : exitCodes.build;
}

function reasonOf(switched: Switched, isThere: boolean): string {
  const { code, timedOut } = switched;
  if (timedOut) return "timed-out";
  if (wantsReboot(switched)) return "needs-reboot";
  if (refusedBy(switched) !== undefined) return "pre-switch-failed";
  if (isLocked(switched)) return "switch-locked";
  if (code === 4) return "units-failed";
  if (code === 2) return "activation-script-failed";
  return isThere ? "switch-failed" : "not-switched";
}
