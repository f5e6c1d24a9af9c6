/**
 * Runs a system's own `switch-to-configuration` and judges the result by facts.
 *
 * @module
 */
import type { Effects } from "../base/effects.ts";
import { exitCodes, SyncError } from "../base/errors.ts";
import { oneLine } from "../base/text.ts";
import { startTimeOf } from "../host/system.ts";
import { UnseenError } from "../process/kernel.ts";
import { killGroup } from "../process/family.ts";
import type { Run } from "../run/run.ts";
import type { Variables } from "../host/systemd.ts";
import { endOf, runOutside, Switched } from "../run/outside.ts";

/**
 * Skips the system's own checks (`system.preSwitchChecks`,
 * `system.switch.inhibitors` of nixpkgs). They decide whether it is wise to
 * leave the running system. In a rollback, the running system is unhealthy and
 * may make them fail.
 */
export const unchecked: Variables = { NIXOS_NO_CHECK: "1" };

/** The actions of `switch-to-configuration` that are used here. */
export type Action = "test" | "boot";

/**
 * Runs `SYSTEM/bin/switch-to-configuration ACTION`; with systemd, in its own
 * unit.
 *
 * @param timeout Milliseconds.
 * @param env {@linkcode unchecked} for a rollback.
 */
export async function switchTo(
  run: Run,
  system: string,
  action: Action,
  timeout: number,
  env: Variables = {},
): Promise<Switched> {
  const argv = [`${system}/bin/switch-to-configuration`, action];
  const { effects, attempt: { stage } } = run;
  let last = "";
  const now = () => ({ text: oneLine(last, 100) });
  effects.tell({ kind: "progress", stage, now });
  const onLine = (text: string) => {
    last = text;
    effects.tell({ kind: "line", stage, text });
  };
  return await runOutside(run, argv, timeout, { env, onLine });
}

/**
 * Returns whether another switch was in progress, so that this one changed
 * nothing. The code alone is EAGAIN, which any failure during a switch may end
 * with.
 */
export function isLocked({ code, timedOut, said }: Switched): boolean {
  return code === 11 && !timedOut &&
    said.some((line) => line.includes("Could not acquire lock"));
}

/**
 * Returns the name of the system's check that refused a switch before it
 * changed anything; the last of more than one. The words are those of nixpkgs.
 */
export function refusedBy({ code, timedOut, said }: Switched) {
  const isRefused = code === 1 && !timedOut &&
    said.some((line) => line.trim() === "Pre-switch checks failed");
  if (!isRefused) return undefined;
  const names = said.map((line) =>
    /^Pre-switch check '(.{1,80})' failed$/.exec(line.trim())?.[1]
  );
  return names.findLast((name) => name !== undefined) ?? "unnamed";
}

/** Returns whether the change needs a reboot. */
export function wantsReboot(switched: Switched): boolean {
  const { code, timedOut } = switched;
  return !timedOut && code === needsReboot ||
    refusedBy(switched) === inhibitors;
}

/** The check of nixpkgs that refuses, for example, another D-Bus or systemd. */
const inhibitors = "switchInhibitors";

/** The exit code of a switch that cannot replace the running init. */
const needsReboot = 100;

/** Returns what the exit code of a switch means, for a message. */
export function meaningOf(switched: Switched): string {
  const { code, timedOut, lines } = switched;
  if (switched.isUnstarted || timedOut) return endOf(switched);
  if (isLocked(switched)) return "another switch was in progress";
  const check = refusedBy(switched);
  if (check === inhibitors) {
    return "it changes parts that cannot be replaced while they run: this change needs a reboot";
  }
  if (check !== undefined) {
    return `its pre-switch check ${check} failed; nothing was changed`;
  }
  const units = lines.find((line) => /units? failed:/.test(line));
  // The codes are those of switch-to-configuration-ng in nixpkgs.
  switch (code) {
    case 2:
      return `an activation script failed${quote(lines, /snippet .* failed/)}`;
    case 4:
      return units
        ? `units failed to start: ${units.replace(/^.*failed:\s*/, "")}`
        : `units could not be handled${quote(lines, /[Ff]ailed/)}`;
    case needsReboot:
      return "it cannot replace the running init: this change needs a reboot";
    default:
      return endOf(switched);
  }
}

function quote(lines: readonly string[], pattern: RegExp): string {
  const line = lines.find((one) => pattern.test(one));
  return line ? ` (${oneLine(line, 120)})` : "";
}

/**
 * Waits until the activation of a dead run is over, and kills it when its time
 * is up.
 *
 * @param process The process in the journal. Without its start time, it could
 * be another process with that id, and is not waited for.
 * @param timeout Milliseconds.
 * @throws {SyncError} `switch-locked` if it cannot be killed: two switches at
 * once would be worse.
 */
export async function waitForProcess(
  effects: Effects,
  process: { pid: number; startTime?: string },
  timeout: number,
): Promise<void> {
  const { pid, startTime } = process;
  if (startTime === undefined) return;
  const end = effects.monotonic() + timeout;
  while (mayRun(pid, startTime)) {
    const late = effects.monotonic() - end;
    if (late > patience) throw unending(pid);
    if (late > 0) killGroup(pid);
    await effects.sleep(100);
  }
}

/** A process that cannot be read may still run. */
function mayRun(pid: number, startTime: string): boolean {
  try {
    return startTimeOf(pid) === startTime;
  } catch (error) {
    if (error instanceof UnseenError) return true;
    throw error;
  }
}

/** Milliseconds in which a killed process must end. */
const patience = 30_000;

function unending(pid: number): SyncError {
  return new SyncError(
    `Cannot stop the activation of an interrupted run: process ${pid}`,
    {
      stage: "activate",
      reason: "switch-locked",
      next: "retry",
      exit: exitCodes.locked,
      hints: [
        `Check the process: \`ps -o pid,stat,wchan,args -p ${pid}\`. The next run tries again.`,
      ],
    },
  );
}
