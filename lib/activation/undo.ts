/**
 * The rollback: to the store paths in the journal, never to "the previous
 * generation".
 *
 * @module
 */
import { say } from "../base/effects.ts";
import { exitCodes, isRefusedSwitch, SyncError } from "../base/errors.ts";
import {
  bootDefault,
  bootId,
  hasSystemd,
  runningSystem,
  systemProfile,
} from "../host/system.ts";
import { armTimer } from "../host/systemd.ts";
import { isBootDefault, setBootDefault, startsAnother } from "./confirm.ts";
import { disarmOrTell, rearm } from "./dead_mans_switch.ts";
import type { Run } from "../run/run.ts";
import { isLocked, meaningOf, switchTo, unchecked } from "./switching.ts";
import { namesAny, readSwitch } from "./switch_words.ts";
import { startBus, unitsComeBack } from "./units_back.ts";
import { isStopped, type Switched } from "../run/outside.ts";

/**
 * Rolls back to the recorded previous system after a failure.
 *
 * @returns the failure with the result of the rollback: exit 7 if the previous
 * system runs again, exit 8 if it does not. Then the journal stays, so that
 * every later run tries again, and the dead-man's switch stays armed.
 * @throws {SyncError} `stopped` if systemd stops this run meanwhile.
 */
export async function rollBack(run: Run, cause: unknown): Promise<unknown> {
  // The journal stays as it is for the next run.
  if (isStopped(cause)) return cause;
  const { touched, previous } = run.attempt;
  run.shield();
  if (!touched || !previous || leftAlone(run, cause)) {
    await disarmOrTell(run);
    return cause;
  }
  say(run.effects, "warning", "Rolling back to the previous system");
  await prepare(run, previous.running);
  const problems = [
    await reactivate(run, previous.running),
    await restoreBootDefault(run, previous.bootDefault),
  ].filter((problem) => problem !== undefined);
  if (problems.length > 0) {
    await rescue(run, previous.bootDefault);
    return brokenBy(run, cause, problems);
  }
  await disarmOrTell(run);
  if (!(cause instanceof SyncError)) return cause;
  const isAlone = previous.running === null &&
    run.attempt.target.operation !== "boot";
  return isAlone
    ? again(
      cause,
      `${cause.message}; no system ran before, so there is nothing to roll back to`,
      exitCodes.broken,
      [...cause.hints, "Check the host now: `systemctl --failed`."],
    )
    : again(
      cause,
      `${cause.message}; the previous system runs again`,
      cause.exit === exitCodes.interrupted
        ? exitCodes.interrupted
        : exitCodes.rolledBack,
      cause.hints,
    );
}

/**
 * The last resort, once per attempt and only if the host allows it: a reboot
 * into the last good system.
 */
async function rescue(run: Run, bootDefault: string | null): Promise<void> {
  if (run.config.rescue !== "reboot" || !hasSystemd()) return;
  const isFirst = run.attempt.bootId === bootId();
  if (!isFirst || !bootDefault || !isBootDefault(run, bootDefault)) return;
  say(
    run.effects,
    "error",
    `Rebooting into ${bootDefault}, because the rollback failed (rescue: reboot)`,
  );
  // Not at once, because the result of this run must be stored first.
  await run.effects.run(
    armTimer("gitops-sync-rescue", ["systemctl", "reboot"], 5),
  );
}

/** Returns whether the switch refused before it changed anything. */
function leftAlone(run: Run, cause: unknown): boolean {
  return cause instanceof SyncError && cause.stage === "activate" &&
    isRefusedSwitch(cause) &&
    runningSystem() === run.attempt.previous?.running;
}

/**
 * Records that the rollback begins, and gives it a dead-man's switch of its
 * own. The rollback happens in any case: a full disk must not keep a host on an
 * unhealthy system.
 */
async function prepare(run: Run, previous: string | null): Promise<void> {
  await run.noteIfPossible({ undoing: true });
  await startBus(run);
  try {
    await rearm(run, previous);
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    say(run.effects, "warning", error.message);
  }
}

async function reactivate(
  run: Run,
  previous: string | null,
): Promise<string | undefined> {
  // A system that waits for the next boot does not run, unless the host was
  // booted into it since.
  const { operation } = run.attempt.target;
  if (operation === "boot" && runningSystem() === previous) return undefined;
  // The first run of a container: there is nothing to roll back to.
  if (previous === null) return undefined;
  const switched = await switchBack(run, previous);
  if (runningSystem() !== previous) {
    return `activating ${previous} failed: ${meaningOf(switched)}`;
  }
  const missing = await unitsComeBack(run, switched, previous);
  if (missing) return `${previous} runs again, but ${missing}`;
  // Code 4 is about units, and those that it names were checked.
  const isAboutUnits = switched.code === 4 && hasSystemd() &&
    namesAny(readSwitch(switched.said, 4));
  const isDone = !switched.timedOut && (switched.code === 0 || isAboutUnits);
  return isDone
    ? undefined
    : `${previous} runs again, but not as before: ${meaningOf(switched)}`;
}

/** Switches back, after any other switch has ended. */
async function switchBack(run: Run, previous: string): Promise<Switched> {
  const { effects, config } = run;
  const timeout = config["timeouts.activate"];
  const end = effects.monotonic() + timeout;
  for (;;) {
    const switched = await switchTo(run, previous, "test", timeout, unchecked);
    if (!isLocked(switched) || effects.monotonic() > end) return switched;
    await effects.sleep(1000);
  }
}

/**
 * Restores the boot default: from the confirm stage on, the bootloader may know
 * the candidate.
 */
async function restoreBootDefault(
  run: Run,
  previous: string | null,
): Promise<string | undefined> {
  const reached = run.attempt.stage === "confirm" ||
    bootDefault() !== previous || startsAnother(run, previous);
  if (!reached) return undefined;
  try {
    if (previous === null) await Deno.remove(systemProfile).catch(() => {});
    else await setBootDefault(run, previous, unchecked);
    return undefined;
  } catch (error) {
    if (isStopped(error)) throw error;
    const { message } = error as Error;
    if (previous === null || !isBootDefault(run, previous)) return message;
    // The entry could not be written, but the old one is still there.
    say(run.effects, "warning", `${message}; but a reboot still starts it`);
    return undefined;
  }
}

function brokenBy(
  run: Run,
  cause: unknown,
  problems: readonly string[],
): SyncError {
  const first = cause instanceof Error ? cause.message : String(cause);
  const error = cause instanceof SyncError ? cause : undefined;
  return again(
    error,
    `${first}; the rollback failed too: ${problems.join("; ")}`,
    exitCodes.broken,
    run.attempt.previous?.running === null ? [lookHint] : [
      lookHint,
      "Wait for the next run, which tries the rollback again, or roll back by hand: `/nix/var/nix/profiles/system/bin/switch-to-configuration test`.",
    ],
    cause,
  );
}

const lookHint =
  "Check the host now: `systemctl --failed` and `readlink /run/current-system`.";

/** Returns the same failure with another message. */
export function again(
  error: SyncError | undefined,
  message: string,
  exit: 7 | 8 | 130,
  hints: readonly string[],
  cause: unknown = error,
): SyncError {
  return new SyncError(message, {
    stage: error?.stage ?? "activate",
    reason: error?.reason ?? "unexpected",
    next: error?.next ?? "hold",
    details: error?.details ?? [],
    hints,
    exit,
    cause,
  });
}
