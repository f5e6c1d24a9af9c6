/**
 * The way back: to the store paths that the journal recorded, never to
 * "the generation before".
 *
 * @module
 */
import { say } from "../base/effects.ts";
import { exitCodes, SyncError } from "../base/errors.ts";
import { bootDefault, runningSystem, systemProfile } from "../host/system.ts";
import { disarm } from "./activate.ts";
import { setBootDefault } from "./confirm.ts";
import type { Run } from "./run.ts";
import { meaningOf, switchTo } from "./switching.ts";

/**
 * Puts the recorded previous system back after a failure.
 *
 * @returns the failure with what came of the way back: exit 7 if the previous
 * system runs again, exit 8 if it does not. The journal then stays, so that
 * every later run tries again, and the dead-man's switch stays armed.
 */
export async function goBack(run: Run, cause: unknown): Promise<unknown> {
  const { touched, previous } = run.attempt;
  run.shield();
  if (!touched || !previous) {
    await disarm(run);
    return cause;
  }
  say(run.effects, "warning", "Putting the previous system back");
  await run.noteIfPossible({ undoing: true });
  const problems = [
    await reactivate(run, previous.running),
    await restoreBootDefault(run, previous.bootDefault),
  ].filter((problem) => problem !== undefined);
  if (problems.length > 0) return brokenBy(cause, problems);
  await disarm(run);
  return cause instanceof SyncError
    ? again(
      cause,
      `${cause.message}; ${
        previous.running === null
          ? "no system ran before, so none is put back"
          : "the previous system runs again"
      }`,
      exitCodes.rolledBack,
      cause.hints,
    )
    : cause;
}

async function reactivate(
  run: Run,
  previous: string | null,
): Promise<string | undefined> {
  if (run.attempt.target.operation === "boot") return undefined;
  // A container's first run: there is nothing to go back to.
  if (previous === null) return undefined;
  const timeout = run.config["timeouts.activate"];
  const switched = await switchTo(run, previous, "test", timeout);
  if (runningSystem() !== previous) {
    return `activating ${previous} failed: ${meaningOf(switched)}`;
  }
  if (switched.code !== 0) {
    say(
      run.effects,
      "warning",
      `${previous} runs again, but not without trouble: ${meaningOf(switched)}`,
    );
  }
  return undefined;
}

/** From the confirm stage on, the bootloader may know the candidate. */
async function restoreBootDefault(
  run: Run,
  previous: string | null,
): Promise<string | undefined> {
  const reached = run.attempt.stage === "confirm" ||
    bootDefault() !== previous;
  if (!reached) return undefined;
  try {
    if (previous === null) await Deno.remove(systemProfile).catch(() => {});
    else await setBootDefault(run, previous);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function brokenBy(cause: unknown, problems: readonly string[]): SyncError {
  const first = cause instanceof Error ? cause.message : String(cause);
  const error = cause instanceof SyncError ? cause : undefined;
  return again(
    error,
    `${first}; and the way back failed too: ${problems.join("; ")}`,
    exitCodes.broken,
    [
      "look at the host now: systemctl --failed; readlink /run/current-system",
      "each run of gitops-sync tries the way back again; by hand: /nix/var/nix/profiles/system/bin/switch-to-configuration test",
    ],
    cause,
  );
}

function again(
  error: SyncError | undefined,
  message: string,
  exit: 7 | 8,
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
