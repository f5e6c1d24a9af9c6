/**
 * Makes the candidate the running system, after it has prepared a rollback.
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
 * Activates the candidate without changing the boot default.
 *
 * @throws {SyncError} exit 7; the caller rolls back to the previous system.
 */
export async function activate(
  run: Run,
  candidate: Candidate,
): Promise<Activated> {
  const { system, commit, target } = candidate;
  const result = { system, commit, target, done: "activated" as const };
  // The host's own commands have run since the last check.
  refuseSuspended(run);
  if (target.operation !== "test") refuseFullBoot(system);
  const found = rollbackTarget(system, systems());
  // A system that was found unfit is no target of a rollback, and is activated
  // again.
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
    // It is not known which units ran before it, so what fails now may be its
    // fault.
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
 * A switch queries logind for the users after it has stopped units. If logind
 * does not answer, neither the switch nor a rollback ends.
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
 * Returns the systems that a rollback returns to. If the candidate already runs
 * but is not the boot default, it was never confirmed: then the rollback
 * returns to the boot default.
 */
function rollbackTarget(candidate: string, now: Systems): Systems {
  const { running, bootDefault } = now;
  return running === candidate && bootDefault !== null
    ? { running: bootDefault, bootDefault }
    : now;
}

/**
 * Protects the previous system from garbage collection: once the candidate runs
 * and is the boot default, nothing else does. The next attempt removes this
 * protection.
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
 * Judges an activation by the running system first, and then by its exit code.
 *
 * @param hasUnits Whether the health check can read units. Then it judges code
 * 4 ("switched, but a unit could not be handled"), because that unit may have
 * failed before.
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
    // Another switch, or a failure of systemd, is not the fault of this
    // revision.
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

/** Without a switch, there was no rollback. */
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
